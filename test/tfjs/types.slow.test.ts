// Compiles a user's program. Errors in TensorFlow.js's own declarations are ignored.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(`${tmpdir()}/gradstep-`);
afterAll(() => rmSync(folder, { recursive: true }));

const use = `import * as tf from "@tensorflow/tfjs-core";
  import { CosineAnnealingLR } from "gradstep/schedule";
  import { GradstepOptimizer, type RuleName } from "gradstep/tfjs";
  const optimizer = new GradstepOptimizer("adamw", { lr: 1e-3, clipNorm: 1, groups: [{ params: /bias/, weightDecay: 0 }] });
  const base: tf.Optimizer = optimizer;
  new CosineAnnealingLR(optimizer, { tMax: 10 }).step();
  const betas: readonly [number, number] = optimizer.paramGroups[0].betas;
  const any = (rule: RuleName): GradstepOptimizer => new GradstepOptimizer(rule);
  // @ts-expect-error: no such rule
  new GradstepOptimizer("adamx");
  // @ts-expect-error: no such option of the rule
  new GradstepOptimizer("sgd", { betas: [0.9, 0.99] });
  // @ts-expect-error: no such option in a group either
  new GradstepOptimizer("sgd", { groups: [{ params: ["w"], eps: 1 }] });
  export { any, base, betas };`;

test(
  "type-checks in a strict consumer that checks libraries, apart from TensorFlow.js's own declarations",
  { timeout: 60_000 },
  async () => {
    mkdirSync(`${folder}/node_modules`);
    symlinkSync(root, `${folder}/node_modules/gradstep`);
    symlinkSync(`${root}node_modules/@tensorflow`, `${folder}/node_modules/@tensorflow`);
    writeFileSync(`${folder}/package.json`, `{ "type": "module" }`);
    writeFileSync(`${folder}/use.ts`, use);
    const options = "--strict --noEmit --pretty false --module nodenext --target es2022 --lib es2022".split(" ");
    const args = [`${root}node_modules/typescript/bin/tsc`, ...options, "use.ts"];
    const output = await new Promise<string>((settle) => {
      execFile(process.execPath, args, { cwd: folder }, (_, stdout) => settle(stdout));
    });
    const errors = output
      .split("\n")
      .filter((line) => line.includes("error TS") && !/@(tensorflow|webgpu)\//.test(line));
    expect(errors).toEqual([]);
  },
);
