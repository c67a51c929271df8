// Messages stay short, however long what they quote is.
import { expect, test } from "vitest";
import { Adam, LBFGS, ParameterDict, type ParameterDict as Params } from "../src/index.js";

const long = `begin${"-".repeat(10_000)}end`;
const make = (): Params => new ParameterDict({ [long]: [2] });
const broken = (): Params => {
  const params = make();
  params.grad[long].fill(NaN);
  return params;
};
const circle: unknown[] = [];
circle.push(circle, circle);

const calls: [string, () => unknown][] = [
  ["a value", () => new Adam(make(), { dialect: long as never })],
  ["control characters", () => new Adam(make(), { dialect: "\u0001".repeat(100) as never })],
  ["lists in lists", () => new Adam(make(), { lr: Array(8).fill(Array(8).fill(long)) as never })],
  ["a list that contains itself", () => new Adam(make(), { lr: circle as never })],
  ["an option's name", () => new Adam(make(), { [long]: 1 })],
  ["a tensor's name", () => make().subset([`${long}!`])],
  ["the name in a shape's place", () => new ParameterDict({ [long]: [-1] })],
  ["the name in a gradient's", () => new Adam(broken(), { nonFinite: "throw" }).step()],
  ["the same of LBFGS", () => new LBFGS(broken(), { nonFinite: "throw" }).step(() => 0)],
  [
    "a tensor that has an owner",
    () => {
      const params = make();
      new Adam(params);
      new Adam(params);
    },
  ],
  [
    "a dictionary in use",
    () => {
      const params = make();
      new Adam(params);
      params.dispose();
    },
  ],
];

test.each(calls)("%s", (_, call) => {
  let message = "";
  try {
    call();
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).not.toBe("");
  expect(message).not.toMatch(/call stack/);
  expect(message.length).toBeLessThanOrEqual(400);
});
