import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { loadFile, save, saveFile } from "../../src/checkpoint/index.js";
import { AdamW, ParameterDict } from "../../src/index.js";
import { random } from "../support/harness.js";

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

  test("writes the state at the time of the call, and the last of several calls wins", async () => {
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

  test("leaves the old file when it cannot write or a value cannot be written", async () => {
    const at = folder();
    const path = join(at, "run");
    mkdirSync(path);
    await expect(saveFile(path, make())).rejects.toThrow(`expected a file or a free name, but ${path} is a folder`);
    await expect(saveFile(5 as never, make())).rejects.toThrow('saveFile: "path" expected a string, got 5');
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

test(
  "processes and threads that save to one path at once all succeed, and readers see whole files",
  { timeout: 60_000 },
  async () => {
    const path = join(folder(), "run");
    await saveFile(path, make());
    const { processes, threads, saves } = { processes: 2, threads: 2, saves: 25 };
    let running = processes;
    const script = fileURLToPath(new URL("savers.mjs", import.meta.url));
    const said = Array.from({ length: processes }, async (_, id) => {
      const child = promisify(execFile)(process.execPath, [
        script,
        path,
        String(threads),
        String(saves),
        String(id * threads),
      ]);
      const { stdout } = await child.finally(() => running--);
      return stdout;
    });
    const seen = new Set<number>();
    while (running > 0) {
      const params = make();
      const { extra } = await loadFile(path, params);
      const { a } = params.data;
      seen.add(a[0]);
      expect(a.every((value) => value === a[0]) && (extra.id ?? 0) === a[0]).toBe(true);
    }
    expect(await Promise.all(said)).toEqual(Array(processes).fill(`${threads * saves} saved\n`));
    expect(readdirSync(dirname(path))).toEqual(["run"]);
    expect(seen.size).toBeGreaterThan(2);
  },
);
