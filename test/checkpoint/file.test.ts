import { spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { loadFile, save, saveFile } from "../../src/checkpoint/index.js";
import { AdamW, ParameterDict } from "../../src/index.js";
import { random } from "../harness.js";

const root = mkdtempSync(join(tmpdir(), "gradstep-checkpoint-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const folder = (): string => mkdtempSync(join(root, "run-"));
const make = (value = 0): ParameterDict => {
  const params: ParameterDict = new ParameterDict({ a: [1000] });
  params.data.a.fill(value);
  return params;
};

describe("saveFile", () => {
  test("writes what save() gives, over an older file too, and leaves nothing else", async () => {
    const at = folder();
    const path = join(at, "run.safetensors");
    for (const value of [1, 2]) {
      await saveFile(path, make(value), { extra: { value } });
      expect(Buffer.compare(readFileSync(path), save(make(value), { extra: { value } }))).toBe(0);
      expect(readdirSync(at)).toEqual(["run.safetensors"]);
    }
    const params = make();
    expect((await loadFile(path, params)).extra).toEqual({ value: 2 });
    expect(params.data.a[999]).toBe(2);
  });

  test("writes the state of the call, and the last of several calls wins", async () => {
    const path = join(folder(), "run");
    const params = make();
    const saves = Array.from({ length: 20 }, (_, n) => {
      params.data.a.fill(n);
      return saveFile(path, params);
    });
    params.data.a.fill(-1);
    await Promise.all(saves);
    await loadFile(path, params);
    expect(params.data.a[0]).toBe(19);
  });

  test("follows a link, and removes what dead processes have left, but no one else's files", async () => {
    const at = folder();
    const path = join(at, "run");
    symlinkSync("run", join(at, "link"));
    const left = [".run.999999999-1.tmp", `.run.${process.pid}-999999.tmp`];
    const kept = [
      `.run.${process.ppid}-1.tmp`,
      ".run.tmp",
      ".run.999999999-1",
      ".other.999999999-1.tmp",
      "run.999999999-1.tmp",
    ];
    for (const name of [...left, ...kept]) writeFileSync(join(at, name), "x");
    writeFileSync(path, "old");
    await saveFile(join(at, "link"), make());
    expect(readdirSync(at).sort()).toEqual([...kept, "link", "run"].sort());
    expect(statSync(path).size).toBeGreaterThan(4000);
  });

  test("leaves the old file when it cannot write or what is given cannot be written", async () => {
    const at = folder();
    const path = join(at, "run");
    mkdirSync(path);
    await expect(saveFile(path, make())).rejects.toThrow(/EISDIR|EEXIST|ENOTEMPTY|EPERM|ENOTDIR/);
    await expect(saveFile(join(at, "nowhere", "run"), make())).rejects.toThrow("ENOENT");
    await expect(saveFile(path, make(), { extra: { f: () => 1 } })).rejects.toThrow('save: "extra.f"');
    await expect(loadFile(join(at, "missing"), make())).rejects.toThrow("ENOENT");
    expect(readdirSync(at)).toEqual(["run"]);
    rmSync(path, { recursive: true });
    await saveFile(path, make());
    expect(readdirSync(at)).toEqual(["run"]);
  });
});

const saver = fileURLToPath(new URL("saver.mjs", import.meta.url));

/** Starts the saver, kills it `delay` ms after its first save, and resolves once it is dead. */
function killed(path: string, delay: number): Promise<void> {
  const child = spawn(process.execPath, [saver, path], { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((settle, fail) => {
    child.stdout.once("data", () => setTimeout(() => child.kill("SIGKILL"), delay));
    child.stdout.resume();
    child.on("close", (code, signal) => {
      if (signal === "SIGKILL") settle();
      else fail(new Error(`the child ended by itself: ${code}`));
    });
  });
}

test("50 runs killed while they save leave a whole file each", { timeout: 60_000 }, async () => {
  const draw = random(7);
  let left = 0;
  const lane = async (): Promise<void> => {
    const at = folder();
    const path = join(at, "run");
    let last = 0;
    for (let kill = 0; kill < 25; kill++) {
      await killed(path, draw() * 40);
      const params: ParameterDict = new ParameterDict({ first: [50_000], last: [50_000] });
      const { extra } = await loadFile(path, params, { optimizers: [new AdamW(params)] });
      const { first, last: end } = params.data;
      expect(extra.n).toBeGreaterThan(last);
      expect([first, end].every((values) => values.every((x) => x === extra.n))).toBe(true);
      last = extra.n as number;
      const files = readdirSync(at).length;
      expect(files, "one that was being written, at most").toBeLessThanOrEqual(2);
      left += files - 1;
    }
    await saveFile(path, make());
    expect(readdirSync(at)).toEqual(["run"]);
  };
  await Promise.all([lane(), lane()]);
  expect(left, "kills in the midst of writing").toBeGreaterThan(5);
});
