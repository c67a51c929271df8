// Patterns from a file match as JavaScript's own do, in time linear in the name.
import fc from "fast-check";
import { expect, test } from "vitest";
import { GradstepOptimizer } from "../../src/tfjs/index.js";
import { SafePattern, newBudget } from "../../src/tfjs/safe-pattern.js";
import { train, variable } from "./setup.js";
import { watchWarnings } from "./warnings.js";

watchWarnings();

const atoms =
  "a b _ / 1 A - \\d \\w \\W \\s \\D . [ab] [^a_] [a-c1] [\\w-] [\\d_-] [^] [] \\b \\B ^ $ \\/ \\x61 \\u0062 \\. (?:) } ]".split(
    " ",
  );
const quantifiers = ["", "", "", "*", "+", "?", "{1,3}", "{2}", "{0,}", "*?", "+?"];
const pattern = fc.letrec((tie) => ({
  whole: fc.array(tie("branch"), { minLength: 1, maxLength: 3 }).map((branches) => branches.join("|")),
  branch: fc.array(tie("part"), { minLength: 0, maxLength: 4 }).map((parts) => parts.join("")),
  part: fc
    .tuple(
      fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom(...atoms),
        fc
          .tuple(fc.constantFrom("(", "(?:", "(?=", "(?!"), tie("whole"))
          .map(([open, inner]) => `${open}${String(inner)})`),
      ),
      fc.constantFrom(...quantifiers),
    )
    .map(([atom, quantifier]) => atom + quantifier),
})).whole;

test("a pattern from a file matches what the same RegExp matches", () => {
  const flags = fc.constantFrom("", "i", "m", "s", "im", "u", "iu");
  const name = fc.string({ unit: fc.constantFrom(...Array.from("ab_/1A -\n")), maxLength: 8 });
  fc.assert(
    fc.property(pattern, flags, fc.array(name, { minLength: 4, maxLength: 4 }), (source, flag, names) => {
      let own: RegExp;
      let safe: SafePattern;
      try {
        own = new RegExp(source, flag);
        safe = new SafePattern(source, flag);
      } catch {
        return; // no pattern, or one of too many parts
      }
      for (const text of names)
        expect(safe.test(text), `/${source}/${flag} on ${JSON.stringify(text)}`).toBe(own.test(text));
    }),
    { numRuns: 2000 },
  );
});

test.each(["^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "(.*)*(.*)*=", "(?!(a+)+$)b", "(\\w*)*\\d{20}!"])(
  "/%s/ on 5,000 characters does not hang",
  (source) => {
    const name = `${"a".repeat(5000)}!`;
    const config = JSON.parse(
      JSON.stringify({
        rule: { name: "adam" },
        lr: 1e-3,
        groups: [{ params: [{ pattern: { name: source }, flags: { name: "" } }] }],
      }),
    ) as never;
    const optimizer = GradstepOptimizer.fromConfig<GradstepOptimizer>(GradstepOptimizer as never, config);
    const w = variable(name, [2]);
    train(optimizer, [w], 0, 1);
    expect(optimizer.paramGroups[0].params).toEqual([name]);
    w.dispose();
  },
);

test.each([
  ["(a)\\1", "backreferences"],
  ["(?<=a)b", "lookbehind"],
  ["(?<x>a)", "named groups"],
  ["((((((a*)*)*)*)*)*)*", "loops in one another"],
  ["(?:(?:a{100}){100}){100}", "too many parts"],
  ["(?:(?:(?:){1000}){1000}){1000}", "too many parts"],
  ["a{1000000000}", "too many parts"],
  ["a".repeat(2000), "more than 1000 characters"],
  ["(", "Invalid regular expression"],
])("a config with /%s/ is refused: %s", (source, reason) => {
  const params = [{ pattern: { name: source }, flags: { name: "" } }];
  const read = () =>
    GradstepOptimizer.fromConfig(GradstepOptimizer, { rule: { name: "adam" }, lr: 1, groups: [{ params }] });
  expect(read).toThrow(RangeError);
  expect(read).toThrow(`GradstepOptimizer: "config.groups" expected a pattern that a file may hold`);
  expect(read).toThrow(reason);
});

test("the patterns of a file share one limit", () => {
  const budget = newBudget();
  expect(() => Array.from({ length: 600 }, () => new SafePattern("a", "", budget))).toThrow("too many parts");
});
