// Random sequences of calls of the public API, compared with a plain model.
import fc from "fast-check";
import { test } from "vitest";
import { sequences } from "./commands/index.js";
import { found } from "./found.js";
import { run } from "./run.js";
import { runs, times } from "./runs.js";

/** Calls in one sequence, and in all sequences of `npm test`. */
const LENGTH = 50;
const CALLS = 20_000;

test("any sequence of calls does what the plain model says", { timeout: 120_000 * Math.max(1, times) }, () => {
  fc.assert(
    fc.property(sequences(LENGTH), (sequence) => {
      run(sequence);
    }),
    runs(CALLS / LENGTH),
  );
});

test.each(Object.entries(found))("fixed: %s", (_, sequence) => {
  run(sequence);
});
