// Tests that the constants that kernels and TypeScript share, in assembly/layout/, cannot change on one side alone.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const generated = "src/wasm/generated/layout/run-list.ts";
const source = "assembly/layout/run-list.ts";
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gradstep-layout-"));
  for (const path of ["assembly", "src", "tsconfig.json", "package.json"])
    cpSync(join(root, path), join(folder, path), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command in a copy of the project: its output, and whether it fails. */
function run(...args: string[]): { readonly fails: boolean; readonly output: string } {
  try {
    return { fails: false, output: execFileSync(process.execPath, args, { cwd: folder, stdio: "pipe" }).toString() };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: Buffer; stderr: Buffer };
    return { fails: true, output: `${stdout.toString()}${stderr.toString()}` };
  }
}
const generate = [
  "--input-type=module",
  "-e",
  'await (await import("./assembly/layout/generate.mjs")).generateLayout()',
];
const edit = (path: string, change: (text: string) => string): void => {
  const before = readFileSync(join(folder, path), "utf8");
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(join(folder, path), after);
};
const step = (text: string): string => text.replace(/(export const STEP(?:: usize)? =) 40;/, "$1 36;");

test("the generated constants are those of the kernels", () => {
  expect(run(...generate)).toEqual({ fails: false, output: "" });
  expect(readFileSync(join(folder, generated), "utf8")).toContain("export const STEP = 40;");
});

test("an offset that is changed in TypeScript alone fails the build", () => {
  edit(generated, step);
  const { fails, output } = run(...generate);
  expect(fails).toBe(true);
  expect(output).toContain(`${generated} is generated, but has been edited: change ${source} instead`);
});

test("an offset that is changed in the kernels reaches TypeScript", () => {
  edit(source, step);
  expect(run(...generate)).toEqual({ fails: false, output: "" });
  expect(readFileSync(join(folder, generated), "utf8")).toContain("export const STEP = 36;");
});

test("a constant that is renamed in the kernels alone does not compile in TypeScript", () => {
  edit(source, (text) => text.replace("export const STEP:", "export const STEP_OF_TENSOR:"));
  expect(run(...generate)).toEqual({ fails: false, output: "" });
  const { fails, output } = run("node_modules/typescript/bin/tsc", "--noEmit", "--incremental", "false");
  expect(fails).toBe(true);
  expect(output).toMatch(/src\/step\/.*'STEP' does not exist|src\/step\/.*Property 'STEP'/);
});
