// All commands by name, and sequences of them.
import fc from "fast-check";
import * as averages from "./averages.js";
import * as bad from "./bad.js";
import type { Command } from "./command.js";
import * as lbfgs from "./lbfgs.js";
import * as live from "./live.js";
import * as make from "./make.js";
import * as sam from "./sam.js";
import * as saved from "./saved.js";
import * as step from "./step.js";
import * as tensors from "./tensors.js";

const isCommand = (value: unknown): value is Command => typeof value === "object" && value !== null && "given" in value;

export const commands = Object.fromEntries(
  [tensors, make, step, live, lbfgs, averages, sam, saved, bad].flatMap((file) =>
    Object.entries(file).filter((entry): entry is [string, Command] => isCommand(entry[1])),
  ),
);

/** One thing to do. */
export interface Act {
  readonly command: string;
  readonly given: unknown;
}

const one = (command: string): fc.Arbitrary<Act> =>
  fc.record({ command: fc.constant(command), given: commands[command].given });

const act: fc.Arbitrary<Act> = fc.oneof(
  ...Object.entries(commands).map(([name, { weight }]) => ({ arbitrary: one(name), weight })),
);

/** An arena of so many pages, and what is done in it. */
export interface Sequence {
  readonly pages: number;
  readonly acts: readonly Act[];
}

/** Sequences of about so many acts, which mostly begin with something to do the others to. */
export const sequences = (length: number): fc.Arbitrary<Sequence> =>
  fc.record({
    pages: fc.constantFrom(4, 2, 1, 8),
    acts: fc
      .tuple(one("makeParams"), one("construct"), fc.array(act, { maxLength: 2 * length, size: "max" }))
      .map(([dict, optimizer, acts]) => [dict, optimizer, ...acts]),
  });
