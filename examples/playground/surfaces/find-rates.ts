// npx tsx examples/playground/surfaces/find-rates.ts: searches learning rates to begin with, and writes them to rates.ts.
import { writeFileSync } from "node:fs";
import { Arena } from "gradstep";
import { optionsOf, rate } from "./knobs.ts";
import { MOST_STEPS } from "./race.ts";
import { Racer } from "./racer.ts";
import { type RuleKey, ruleKeys, rules } from "./rules.ts";
import { type LandscapeKey, landscapeKeys, landscapes } from "./surfaces.ts";

/** 1, 2, 3, 5 and 7 of every decade from 0.0001 to 7000. */
const grid = [-4, -3, -2, -1, 0, 1, 2, 3].flatMap((power) =>
  [1, 2, 3, 5, 7].map((digit) => Number(`${digit}e${power}`)),
);
const arena = new Arena({ capacity: 2 ** 22 });

/** How good a rate is, less is better: steps to a global minimum, then the loss of a local one; Infinity for neither. */
function cost(rule: RuleKey, key: LandscapeKey, lr: number): number {
  const surface = landscapes[key];
  const { knobs } = rules[rule];
  const options = optionsOf([rate(lr), ...knobs], [lr, ...knobs.map(({ start }) => start)]);
  const racer = new Racer(arena, surface, rules[rule], options, surface.start);
  while (racer.fate === "running" && racer.steps < MOST_STEPS && isInside(racer.path, surface.domain)) racer.step();
  const { fate, arrival, loss, path } = racer;
  racer.dispose();
  if (arrival === undefined || !isInside(path, surface.domain)) return Infinity;
  return fate === "arrived" ? arrival : MOST_STEPS * (1 + loss) + arrival;
}

/** Whether the last point of a path is inside the picture. */
function isInside(path: Float32Array, { x, y }: (typeof landscapes)[LandscapeKey]["domain"]): boolean {
  const [atX, atY] = path.subarray(-2);
  return atX >= x[0] && atX <= x[1] && atY >= y[0] && atY <= y[1];
}

function best(rule: RuleKey, key: LandscapeKey): number {
  const costs = (rule === "lbfgs" ? [1] : grid).map((lr) => ({ lr, cost: cost(rule, key, lr) }));
  const found = costs.reduce((a, b) => (b.cost < a.cost ? b : a));
  if (found.cost === Infinity) throw new Error(`no rate of the grid takes ${rule} to a minimum of ${key}`);
  return found.lr;
}

const rows = ruleKeys.map(
  (rule) => `  ${rule}: { ${landscapeKeys.map((key) => `${key}: ${best(rule, key)}`).join(", ")} },`,
);
writeFileSync(
  new URL("rates.ts", import.meta.url),
  `// Written by find-rates.ts: of a 1-2-3-5-7 grid, the rate that takes a rule to a global minimum in the fewest steps without
// leaving the picture, or to the lowest local minimum where none does. LBFGS searches along a line from 1.
import type { RuleKey } from "./rules.ts";
import type { LandscapeKey } from "./surfaces.ts";

/** Learning rates to begin with. */
export const rates: Readonly<Record<RuleKey, Readonly<Record<LandscapeKey, number>>>> = {
${rows.join("\n")}
};
`,
);
