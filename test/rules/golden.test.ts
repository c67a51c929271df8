import { describe, expect, test } from "vitest";
import { fixture } from "../support/fixture.js";
import { checkCase, parseGolden } from "./golden.js";

const inputs = fixture("inputs.json").toString();
const sets = ["cases.json.gz", "more-cases.json.gz"].map((name) => parseGolden(fixture(name).toString(), inputs));

test("all fixtures are present", () => {
  expect(sets.map(({ cases }) => cases.length)).toEqual([162, 55]);
});

describe("golden vectors", () => {
  test.each(sets.flatMap((golden) => golden.cases.map((c) => [c.name, c, golden] as const)))("%s", (_, c, golden) =>
    checkCase(c, golden),
  );
});
