// Written by find-rates.ts: of a 1-2-3-5-7 grid, the rate that takes a rule to a global minimum in the fewest steps without
// leaving the picture, or to the lowest local minimum where none does. LBFGS searches along a line from 1.
import type { RuleKey } from "./rules.ts";
import type { LandscapeKey } from "./surfaces.ts";

/** Learning rates to begin with. */
export const rates: Readonly<Record<RuleKey, Readonly<Record<LandscapeKey, number>>>> = {
  sgd: { rosenbrock: 0.002, quadratic: 0.07, beale: 0.03, saddle: 1, himmelblau: 0.02, rastrigin: 0.05 },
  momentum: { rosenbrock: 0.003, quadratic: 0.007, beale: 0.003, saddle: 0.2, himmelblau: 0.005, rastrigin: 0.07 },
  nesterov: { rosenbrock: 0.001, quadratic: 0.05, beale: 0.003, saddle: 0.5, himmelblau: 0.01, rastrigin: 0.03 },
  ema: { rosenbrock: 0.003, quadratic: 0.07, beale: 0.01, saddle: 1, himmelblau: 0.05, rastrigin: 0.7 },
  adagrad: { rosenbrock: 0.5, quadratic: 5, beale: 1, saddle: 0.7, himmelblau: 2, rastrigin: 0.3 },
  adadelta: { rosenbrock: 0.07, quadratic: 500, beale: 0.2, saddle: 30, himmelblau: 70, rastrigin: 20 },
  rmsprop: { rosenbrock: 0.003, quadratic: 0.5, beale: 0.1, saddle: 0.07, himmelblau: 0.2, rastrigin: 0.03 },
  adam: { rosenbrock: 0.5, quadratic: 0.2, beale: 0.5, saddle: 0.07, himmelblau: 3, rastrigin: 0.5 },
  amsgrad: { rosenbrock: 0.5, quadratic: 0.2, beale: 0.5, saddle: 0.07, himmelblau: 3, rastrigin: 0.5 },
  adamw: { rosenbrock: 0.03, quadratic: 0.2, beale: 0.3, saddle: 0.2, himmelblau: 3, rastrigin: 0.5 },
  adamax: { rosenbrock: 0.3, quadratic: 0.7, beale: 0.7, saddle: 0.07, himmelblau: 3, rastrigin: 0.7 },
  nadam: { rosenbrock: 0.02, quadratic: 2, beale: 1, saddle: 0.7, himmelblau: 0.7, rastrigin: 0.2 },
  radam: { rosenbrock: 0.002, quadratic: 0.1, beale: 0.01, saddle: 1, himmelblau: 0.05, rastrigin: 0.5 },
  adabelief: { rosenbrock: 0.5, quadratic: 0.1, beale: 0.5, saddle: 0.1, himmelblau: 0.5, rastrigin: 0.5 },
  yogi: { rosenbrock: 0.7, quadratic: 0.2, beale: 0.5, saddle: 0.5, himmelblau: 3, rastrigin: 0.5 },
  adopt: { rosenbrock: 3, quadratic: 0.7, beale: 2, saddle: 0.07, himmelblau: 0.2, rastrigin: 0.7 },
  ademamix: { rosenbrock: 0.5, quadratic: 0.5, beale: 0.3, saddle: 0.07, himmelblau: 3, rastrigin: 0.5 },
  adan: { rosenbrock: 0.5, quadratic: 5, beale: 1, saddle: 1, himmelblau: 2, rastrigin: 0.1 },
  madgrad: { rosenbrock: 0.05, quadratic: 0.5, beale: 0.3, saddle: 0.07, himmelblau: 0.5, rastrigin: 0.2 },
  ftrl: { rosenbrock: 0.7, quadratic: 3, beale: 1, saddle: 0.7, himmelblau: 2, rastrigin: 1 },
  lion: { rosenbrock: 0.003, quadratic: 0.02, beale: 0.007, saddle: 0.02, himmelblau: 0.07, rastrigin: 0.02 },
  asgd: { rosenbrock: 0.002, quadratic: 0.07, beale: 0.03, saddle: 1, himmelblau: 0.02, rastrigin: 0.05 },
  rprop: { rosenbrock: 0.03, quadratic: 1, beale: 0.1, saddle: 0.2, himmelblau: 0.5, rastrigin: 0.7 },
  lamb: { rosenbrock: 0.005, quadratic: 0.3, beale: 0.007, saddle: 0.02, himmelblau: 0.03, rastrigin: 0.2 },
  lars: { rosenbrock: 10, quadratic: 7, beale: 5, saddle: 30, himmelblau: 10, rastrigin: 70 },
  novograd: { rosenbrock: 0.03, quadratic: 0.05, beale: 0.03, saddle: 0.03, himmelblau: 0.07, rastrigin: 0.07 },
  adafactor: { rosenbrock: 0.005, quadratic: 0.7, beale: 0.07, saddle: 1, himmelblau: 0.2, rastrigin: 0.3 },
  muon: { rosenbrock: 0.03, quadratic: 0.1, beale: 0.05, saddle: 0.07, himmelblau: 0.2, rastrigin: 0.05 },
  prodigy: { rosenbrock: 0.3, quadratic: 0.07, beale: 0.2, saddle: 0.3, himmelblau: 1000, rastrigin: 0.3 },
  scheduleFreeSgd: { rosenbrock: 0.007, quadratic: 0.1, beale: 0.03, saddle: 2, himmelblau: 0.07, rastrigin: 0.3 },
  scheduleFreeAdamw: { rosenbrock: 0.1, quadratic: 5, beale: 1, saddle: 1, himmelblau: 3, rastrigin: 0.7 },
  lbfgs: { rosenbrock: 1, quadratic: 1, beale: 1, saddle: 1, himmelblau: 1, rastrigin: 1 },
};
