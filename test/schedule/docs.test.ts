// Compares options and defaults in docs/schedules.md with those of the schedules.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Adam, ParameterDict } from "../../src/index.js";
import * as schedules from "../../src/schedule/index.js";

const page = readFileSync(new URL("../../docs/schedules.md", import.meta.url), "utf8");
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({ name: /^.*/.exec(text)?.[0] ?? "", text }))
  .filter(({ name }) => !name.includes(" ") && name !== "Saving");

type Make = new (optimizer: Adam, options: object) => { stateDict(): { options: Record<string, unknown> } };
const classes = Object.fromEntries(
  Object.entries(schedules).filter(([name]) => name !== "LRScheduler"),
) as unknown as Record<string, Make>;

const value = (cell: string): unknown => (cell === "1/3" ? 1 / 3 : JSON.parse(cell));

describe("docs/schedules.md", () => {
  test("has every schedule", () => {
    expect(sections.map(({ name }) => name).sort()).toEqual(Object.keys(classes).sort());
  });

  test.each(sections)("$name: options and defaults", ({ name, text }) => {
    const cells = Array.from(text.matchAll(/^\| `(\w+)` \|([^|]*)\|/gm), ([, option, cell]) => [option, cell.trim()]);
    const optimizer = new Adam(new ParameterDict({ w: [1] }));
    expect(() => new classes[name](optimizer, { none: 1 })).toThrow(
      `The options are ${cells.map(([option]) => option).join(", ")}`,
    );
    const needed: Record<string, unknown> = {
      ...{ stepSize: 3, gamma: 0.5, tMax: 3, t0: 3, maxLr: 1, totalSteps: 3, baseLr: 0, lrLambda: () => 1, swaLr: 0.1 },
      ...{ milestones: [1], schedulers: [new schedules.ConstantLR(optimizer), new schedules.ConstantLR(optimizer)] },
    };
    const given = Object.fromEntries(cells.flatMap(([option, cell]) => (cell ? [] : [[option, needed[option]]])));
    for (const option of Object.keys(given))
      expect(() => new classes[name](optimizer, { ...given, [option]: undefined }), `${option} has no default`).toThrow(
        TypeError,
      );
    const { options } = new classes[name](optimizer, given).stateDict();
    for (const [option, cell] of cells) if (cell) expect(options[option], option).toEqual(value(cell));
  });
});
