// Groups whose tensors are chosen by a pattern or a function.
import { describe, expect, test } from "vitest";
import { AdamW, ParameterDict, SGD } from "../../src/index.js";

const make = () =>
  new ParameterDict({ "0.weight": [3, 2], "0.bias": [3], "2.weight": [1, 3], "2.bias": [1], norm: [3] });
const groupsOf = (groups: object[]) =>
  new AdamW(make(), { groups: groups as never }).paramGroups.map(({ params }) => params);
const names = make().names;
const without = (...left: string[]) => names.filter((name) => !left.includes(name));

describe("a tensor's group", () => {
  test.each<[string, object[], (readonly string[])[]]>([
    ["a pattern", [{ params: /bias/ }], [without("0.bias", "2.bias"), ["0.bias", "2.bias"]]],
    [
      "a function of the name",
      [{ params: (name: string) => name.startsWith("0") }],
      [without("0.weight", "0.bias"), ["0.weight", "0.bias"]],
    ],
    [
      "a function of the shape",
      [{ params: (_: string, shape: number[]) => shape.length < 2 }],
      [
        ["0.weight", "2.weight"],
        ["0.bias", "2.bias", "norm"],
      ],
    ],
    [
      "an array of all kinds",
      [{ params: ["norm", /0\.b/, (name: string) => name === "2.bias"] }],
      [
        ["0.weight", "2.weight"],
        ["norm", "0.bias", "2.bias"],
      ],
    ],
    [
      "the first that matches",
      [{ params: /^0/ }, { params: /bias/ }],
      [["2.weight", "norm"], ["0.weight", "0.bias"], ["2.bias"]],
    ],
    [
      "a later one that names it",
      [{ params: /bias/ }, { params: ["2.bias"] }],
      [without("0.bias", "2.bias"), ["0.bias"], ["2.bias"]],
    ],
    ["an earlier one that takes all", [{ params: /./ }, { params: /bias/ }], [[], names, []]],
    [
      "no state of a global pattern",
      [{ params: /bias/g }, { params: /weight/gi }],
      [["norm"], ["0.bias", "2.bias"], ["0.weight", "2.weight"]],
    ],
    ["a sticky pattern", [{ params: /2/y }], [without("2.weight", "2.bias"), ["2.weight", "2.bias"]]],
  ])("%s", (_, groups, expected) => {
    expect(groupsOf(groups)).toEqual(expected);
    expect(groupsOf(groups)).toEqual(expected); // a pattern's lastIndex stays out of it
  });

  test("a pattern's own lastIndex is neither read nor written", () => {
    const pattern = /bias/g;
    pattern.lastIndex = 3;
    expect(groupsOf([{ params: pattern }])[1]).toEqual(["0.bias", "2.bias"]);
    expect(pattern.lastIndex).toBe(3);
  });
});

test.each<[string, object[], string]>([
  [
    "a pattern",
    [{ params: /gamma/ }],
    'AdamW: "groups[0].params" expected what matches one of the tensors "0.weight", "0.bias", "2.weight", "2.bias", "norm", got /gamma/',
  ],
  [
    "a function",
    [{ params: ["norm"] }, { params: () => false }],
    '"groups[1].params" expected what matches one of the tensors',
  ],
  [
    "one in an array",
    [{ params: ["norm", /gamma/] }],
    '"groups[0].params[1]" expected what matches one of the tensors',
  ],
])("%s that matches nothing is refused, and nothing is changed", (_, groups, message) => {
  const params = make();
  const { used } = params.arena;
  const construct = () => new AdamW(params, { groups: groups as never });
  expect(construct).toThrow(RangeError);
  expect(construct).toThrow(message);
  expect(params.arena.used).toBe(used);
  new AdamW(params).step();
});

test("what a function throws is thrown, and nothing is changed", () => {
  const params = make();
  const fail = (): boolean => {
    throw new Error("mine");
  };
  expect(() => new AdamW(params, { groups: [{ params: fail }] })).toThrow("mine");
  new AdamW(params).step();
});

test("steps as groups by name do, is saved with names, and loads into those", () => {
  const [a, b] = [make(), make()];
  const byPattern = new SGD(a, {
    lr: 0.1,
    weightDecay: 0.1,
    momentum: 0.9,
    groups: [{ params: /bias|norm/, weightDecay: 0 }],
  });
  const byName = new SGD(b, {
    lr: 0.1,
    weightDecay: 0.1,
    momentum: 0.9,
    groups: [{ params: ["0.bias", "2.bias", "norm"], weightDecay: 0 }],
  });
  for (const params of [a, b])
    for (const name of params.names) params.data[name].fill(params.grad[name].fill(0.5).length);
  byPattern.step();
  byName.step();
  expect(a.copy()).toEqual(b.copy());
  expect(byPattern.stateDict()).toEqual(byName.stateDict());
  byName.loadStateDict(byPattern.stateDict());
});
