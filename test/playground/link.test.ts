import { describe, expect, it } from "vitest";
import { type RaceSetup, readLink, writeLink } from "../../examples/playground/surfaces/link.ts";
import { knobsOf } from "../../examples/playground/surfaces/race.ts";
import { FIRST_RULES } from "../../examples/playground/surfaces/rules.ts";
import { landscapes } from "../../examples/playground/surfaces/surfaces.ts";

const first: RaceSetup = {
  surface: "rosenbrock",
  start: landscapes.rosenbrock.start,
  rules: FIRST_RULES,
  settings: {},
  pace: 4,
};

const write = (setup: RaceSetup, query = ""): string => {
  const parameters = new URLSearchParams(query);
  writeLink(setup, parameters);
  return parameters.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
};

describe("a link to a race", () => {
  it("is empty for the first race, and no query is the first race", () => {
    expect(write(first)).toBe("");
    expect(readLink(new URLSearchParams(""))).toEqual(first);
  });

  it("holds surface, start, rules in their order, what is set, and the speed", () => {
    const adam = knobsOf("adam", "beale").map(({ start }) => start);
    adam[0] = 0.01;
    adam[1] = 0.8;
    const lion = knobsOf("lion", "beale").map(({ start }) => start);
    const setup: RaceSetup = {
      surface: "beale",
      start: { x: 1.25, y: -0.5 },
      rules: ["lion", "adam"],
      settings: { lion, adam },
      pace: 6,
    };
    const query = write(setup);
    expect(query).toBe("surface=beale&start=1.25,-0.5&rules=lion,adam&adam=lr:0.01,betas.0:0.8&speed=6");
    expect(readLink(new URLSearchParams(query))).toEqual({ ...setup, settings: { adam } });
  });

  it("holds a race of nobody", () => {
    expect(readLink(new URLSearchParams(write({ ...first, rules: [] }))).rules).toEqual([]);
  });

  it("leaves other parameters alone, and drops its own that no longer hold", () => {
    expect(write(first, "theme=x&rules=adam&speed=2&adam=lr:1")).toBe("theme=x");
  });

  it.each([
    ["surface=nowhere", first],
    ["start=9,9", first],
    ["start=1", first],
    ["speed=99", first],
    ["speed=1.5", first],
    ["rules=adam,nobody,adam", { ...first, rules: ["adam"] }],
    ["rules=sgd&sgd=lr:-1,weightDecay:x", { ...first, rules: ["sgd"], settings: { sgd: [0.002, 0] } }],
    ["rules=sgd&sgd=lr:,weightDecay:NaN", { ...first, rules: ["sgd"], settings: { sgd: [0.002, 0] } }],
    ["rules=sgd&sgd", { ...first, rules: ["sgd"], settings: { sgd: [0.002, 0] } }],
  ])("passes over what it cannot read: %s", (query, expected) => {
    expect(readLink(new URLSearchParams(query))).toEqual(expected);
  });
});
