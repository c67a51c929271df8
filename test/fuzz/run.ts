// Runs a sequence of commands and checks everything after each.
import { expect } from "vitest";
import { type Sequence, commands } from "./commands/index.js";
import { endSearch } from "./commands/lbfgs.js";
import { endOptimizer } from "./commands/make.js";
import { endSAM } from "./commands/sam.js";
import { endDict } from "./commands/tensors.js";
import { check } from "./invariants.js";
import { World } from "./world.js";

/** Runs a whole sequence and disposes of what is left; returns the number of calls. */
export function run({ pages, acts }: Sequence): number {
  const world = new World(pages);
  for (const { command, given } of acts) {
    commands[command].run(world, given);
    check(world);
  }
  for (const average of [...world.averages]) world.end(average, world.averages);
  for (const optimizer of [...world.optimizers]) endOptimizer(world, optimizer);
  for (const search of [...world.searches]) endSearch(world, search);
  for (const dict of world.dicts.filter(({ whole }) => !whole)) endDict(world, dict);
  for (const sam of [...world.sams]) endSAM(world, sam);
  expect(world.arena.used).toBe(65536);
  return world.calls;
}
