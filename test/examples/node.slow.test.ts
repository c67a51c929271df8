// Runs the Node example.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { temporaryFolder } from "./tiny-files.ts";

const script = fileURLToPath(new URL("../../examples/node/train.mjs", import.meta.url));
const cwd = temporaryFolder();

async function train(...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { cwd });
  return stdout.trimEnd().split("\n");
}
const bytes = (file: string): Buffer => readFileSync(join(cwd, file));

it("examples/node/train.mjs learns, and goes on from its checkpoint with the same bits", async () => {
  const [whole, first] = await Promise.all([train(), train("part.safetensors", "200")]);
  expect(Number(/^accuracy (.*)$/.exec(whole.at(-1)!)?.[1])).toBeGreaterThan(0.98);
  expect(first).toHaveLength(3);

  const rest = await train("part.safetensors");
  expect(rest[0]).toBe("going on from step 200 of part.safetensors");
  expect([...first.slice(0, -1), ...rest.slice(1)]).toEqual(whole);
  expect(bytes("part.safetensors").equals(bytes("moons.safetensors"))).toBe(true);
});
