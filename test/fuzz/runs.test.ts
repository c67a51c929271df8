import fc from "fast-check";
import { expect, test } from "vitest";
import { runs } from "./runs.js";

test("a failed property prints the seed and path that replay it", () => {
  const parameters = runs(10);
  const run = () =>
    fc.assert(
      fc.property(fc.nat(), (n) => n < 0),
      parameters,
    );
  expect(run).toThrow(`seed: ${parameters.seed}, path: "`);
});
