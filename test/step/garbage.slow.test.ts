import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { shapesOf } from "../support/harness.js";
import { rows } from "../rules/table.js";

const script = fileURLToPath(new URL("garbage.mjs", import.meta.url));

const plain = rows.map((row) => ({
  row,
  title: `${row.rule}: a step allocates nothing, with groups, gradScale and skip`,
}));
/** One rule of scope "element" and one of scope "tensor". */
const fused = rows
  .filter(({ rule }) => rule === "NAdam" || rule === "LARS")
  .map((row) => ({
    row,
    fused: true,
    title: `${row.rule} in Lookahead: a step with clipNorm, zeroGrad, average and nonFinite allocates nothing`,
  }));

test.each([...plain, ...fused])("$title", { timeout: 60_000 }, async ({ row, ...more }) => {
  const { fused } = { fused: false, ...more };
  const options = row.variants.at(-1);
  const shapes = shapesOf(row, { a: 16, b: 40, c: 7 });
  const groups = [{ params: ["b"], weightDecay: 0.1 }];
  const args = ["--expose-gc", script, JSON.stringify({ rule: row.rule, options, groups, shapes, fused })];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const [none, some, many] = JSON.parse(stdout) as number[];
  expect(Math.abs(some - none)).toBeLessThanOrEqual(1024);
  expect(Math.abs(many - none)).toBeLessThanOrEqual(1024);
});
