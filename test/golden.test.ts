import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkCase, parseGolden } from "./golden.js";

const read = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");
const golden = parseGolden(read("cases.json"), read("inputs.json"));

test("the fixtures are all there", () => {
  expect(golden.cases).toHaveLength(162);
});

describe("golden vectors", () => {
  test.each(golden.cases.map((c) => [c.name, c] as const))("%s", (_, c) => checkCase(c, golden));
});
