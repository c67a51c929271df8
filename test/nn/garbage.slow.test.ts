import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const script = fileURLToPath(new URL("garbage.mjs", import.meta.url));

test.each([
  ["mlp", ""],
  ["mlp", "open"],
  ["regression", ""],
  ["convolutions", ""],
  ["transformer", ""],
])("a training step allocates nothing: %s %s", { timeout: 60_000 }, async (name, open) => {
  // Where V8 has not inlined trainBatch by then, the loss that it returns takes 16 bytes: another process may be luckier.
  let growth = Infinity;
  for (let attempt = 0; attempt < 4 && growth > 1024; attempt++) {
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script, name, open]);
    const [none, some, many] = JSON.parse(stdout) as number[];
    growth = Math.max(Math.abs(some - none), Math.abs(many - none));
  }
  expect(growth).toBeLessThanOrEqual(1024);
});
