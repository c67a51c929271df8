// Checks the table of replacements for TensorFlow.js's own optimizers in docs/tfjs.md.
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { GradstepOptimizer, type RuleName } from "../../src/tfjs/index.js";
import { onBackends, train, variable } from "./setup.js";

const page = readFileSync(new URL("../../docs/tfjs.md", import.meta.url), "utf8");
const row = /^\| `tf\.train\.(\w+)\((.*)\)` +\| `"(\w+)", (\{.*\})` +\|$/gm;
const rows = Array.from(page.matchAll(row), ([, name, values, rule, options]) => ({
  name,
  values: JSON.parse(`[${values}]`) as (number | boolean)[],
  rule: rule as RuleName,
  options: JSON.parse(options.replace(/(\w+):/g, '"$1":')) as object,
}));
const own = tf.train as unknown as Record<string, (...values: (number | boolean)[]) => tf.Optimizer>;

test("every optimizer of TensorFlow.js except Adadelta has a row", () => {
  expect([...new Set(rows.map(({ name }) => name))]).toEqual([
    "sgd",
    "momentum",
    "adagrad",
    "rmsprop",
    "adam",
    "adamax",
  ]);
});

onBackends(() => {
  test.each(rows)("$name($values) is $rule with $options", ({ name, values, rule, options }) => {
    const pair = [variable("a", [9]), variable("b", [9])];
    const start = Float32Array.from(pair[0].dataSync());
    train(own[name](...values), [pair[0]], 0, 20);
    train(new GradstepOptimizer(rule, options), [pair[1]], 0, 20);
    const [theirs, ours] = pair.map((v) => v.dataSync());
    // TensorFlow.js takes 1 - 0.999 in float32, which is off by 5e-5.
    theirs.forEach((x, i) => {
      expect(Math.abs(ours[i] - x), String(i)).toBeLessThan(1e-4 * Math.abs(x - start[i]) + 1e-6);
    });
  });
});
