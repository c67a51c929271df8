import { describe, expect, test } from "vitest";
import { fixture } from "../support/fixture.js";
import { checkCase, parseGolden } from "./golden.js";

const golden = parseGolden(fixture("cases.json.gz").toString(), fixture("inputs.json").toString());

test("all fixtures are present", () => {
  expect(golden.cases).toHaveLength(162);
});

describe("golden vectors", () => {
  test.each(golden.cases.map((c) => [c.name, c] as const))("%s", (_, c) => checkCase(c, golden));
});
