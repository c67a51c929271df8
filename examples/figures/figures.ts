import { averages } from "./averages.ts";
import { batches } from "./batches.ts";
import { effective } from "./effective.ts";
import { losses } from "./losses.ts";
import { movingPaths, paths } from "./paths.ts";
import { rates } from "./rates.ts";

/** Every picture, by file name. */
export const figures: Readonly<Record<string, () => string>> = {
  "paths-quadratic.svg": () => paths("quadratic"),
  "paths-rosenbrock.svg": () => paths("rosenbrock"),
  "paths-beale.svg": () => paths("beale"),
  "moving-paths-quadratic.svg": () => movingPaths("quadratic"),
  "moving-paths-rosenbrock.svg": () => movingPaths("rosenbrock"),
  "moving-paths-beale.svg": () => movingPaths("beale"),
  "losses.svg": losses,
  "moving-average.svg": averages,
  "batch-sizes.svg": batches,
  "learning-rates.svg": rates,
  "effective-steps.svg": effective,
};
