// What saveFile makes of what stands at its path and in its folder, and that it flushes to the disk.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import promises from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { loadFile, saveFile } from "../../src/checkpoint/index.js";
import { ParameterDict } from "../../src/index.js";

const root = fs.mkdtempSync(join(tmpdir(), "gradstep-target-"));
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));
const folder = (): string => fs.mkdtempSync(join(root, "run-"));
const params: ParameterDict = new ParameterDict({ a: [1000] });
const isFile = (path: string): boolean => fs.lstatSync(path).isFile() && fs.statSync(path).size > 4000;
afterEach(() => void vi.restoreAllMocks());

/** The calls of the file system that a save makes, in order, with the temporary file's name as "temporary". */
async function calls(path: string): Promise<{ log: string[]; temporary: string }> {
  const log: string[] = [];
  let temporary = "";
  const { open, rename } = promises;
  vi.spyOn(promises, "open").mockImplementation(async (file, flags, mode) => {
    const name = basename(String(file));
    if (flags !== "r") temporary = name;
    const what = flags === "r" ? "folder" : "temporary";
    const handle = await open(file, flags, mode);
    for (const method of ["writeFile", "sync", "close"] as const) {
      const own = handle[method].bind(handle) as (...args: unknown[]) => Promise<void>;
      handle[method] = async (...args: unknown[]) => {
        await own(...args);
        log.push(`${method} ${what}`);
      };
    }
    log.push(`open ${what} ${flags}`);
    return handle;
  });
  vi.spyOn(promises, "rename").mockImplementation(async (from, to) => {
    await rename(from, to);
    log.push(`rename ${basename(String(from)) === temporary ? "temporary" : "?"} to ${basename(String(to))}`);
  });
  try {
    await saveFile(path, params);
  } finally {
    vi.restoreAllMocks();
  }
  return { log, temporary };
}

test("the file is flushed before it is renamed, and the folder after", async () => {
  const { log } = await calls(join(folder(), "run"));
  const file = ["open temporary wx", "writeFile temporary", "sync temporary", "close temporary"];
  expect(log).toEqual([...file, "rename temporary to run", "open folder r", "sync folder", "close folder"]);
});

test("a folder that cannot be flushed or searched is no failure: the file is there", async () => {
  const path = join(folder(), "run");
  const { open } = promises;
  const refused = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
  vi.spyOn(promises, "readdir").mockRejectedValue(refused);
  vi.spyOn(promises, "open").mockImplementation((file, flags, mode) =>
    flags === "r" ? Promise.reject(refused) : open(file, flags, mode),
  );
  await saveFile(path, params);
  expect(isFile(path)).toBe(true);
});

describe.skipIf(process.platform === "win32")("what is at the path", () => {
  test.each([0o600, 0o640, 0o664, 0o444, 0o4755])("a file keeps its mode %o", async (mode) => {
    const path = join(folder(), "run");
    fs.writeFileSync(path, "old");
    fs.chmodSync(path, mode);
    await saveFile(path, params);
    expect([isFile(path), fs.statSync(path).mode & 0o7777]).toEqual([true, mode]);
  });

  test("a private file is private while it is written; a new one has the mode that the process gives", async () => {
    const path = join(folder(), "run");
    const modes: number[] = [];
    const { open } = promises;
    vi.spyOn(promises, "open").mockImplementation(async (file, flags, mode) => {
      const handle = await open(file, flags, mode);
      if (flags !== "r") modes.push((await handle.stat()).mode & 0o777);
      return handle;
    });
    await saveFile(path, params);
    fs.writeFileSync(`${path} beside`, "");
    const plain = fs.statSync(`${path} beside`).mode & 0o777;
    expect(fs.statSync(path).mode & 0o777).toBe(plain);
    fs.chmodSync(path, 0o600);
    await saveFile(path, params);
    expect(modes).toEqual([plain, 0o600]);
  });

  test.skipIf(process.getuid?.() !== 0)("a file keeps its owner and group", async () => {
    const path = join(folder(), "run");
    fs.writeFileSync(path, "old", { mode: 0o640 });
    fs.chownSync(path, 1234, 2345);
    await saveFile(path, params);
    const { uid, gid, mode } = fs.statSync(path);
    expect([isFile(path), uid, gid, mode & 0o777]).toEqual([true, 1234, 2345, 0o640]);
  });

  test("links are followed, dangling ones too", async () => {
    const at = folder();
    fs.mkdirSync(join(at, "other/deep"), { recursive: true });
    for (const [link, to] of [
      ["relative", "other/a"],
      ["absolute", join(at, "other/b")],
      ["chain", "relative2"],
      ["relative2", "other/c"],
      ["deep", "other/deep"],
      ["other/deep/up", "../d"],
    ])
      fs.symlinkSync(to, join(at, link));
    const targets = { relative: "a", absolute: "b", chain: "c", "deep/up": "d" };
    for (let round = 0; round < 2; round++)
      for (const [link, target] of Object.entries(targets)) {
        await saveFile(join(at, link), params);
        expect([fs.lstatSync(join(at, link)).isSymbolicLink(), isFile(join(at, "other", target))]).toEqual([
          true,
          true,
        ]);
      }
    expect(fs.readdirSync(join(at, "other")).sort()).toEqual(["a", "b", "c", "d", "deep"]);
    await saveFile(`${at}/deep/../e`, params); // ".." of the folder that the link leads to
    expect(isFile(join(at, "other/e"))).toBe(true);

    fs.symlinkSync("loop", join(at, "loop"));
    await expect(saveFile(join(at, "loop"), params)).rejects.toThrow(/links|ELOOP/);
  });

  test("a folder, a FIFO, a socket and a device are refused, by a link too", async () => {
    const at = folder();
    fs.mkdirSync(join(at, "folder"));
    expect(spawnSync("mkfifo", [join(at, "FIFO")]).status).toBe(0);
    const server = createServer().listen(join(at, "socket"));
    const kinds = ["folder", "FIFO", "socket"];
    if (process.getuid?.() === 0 && spawnSync("mknod", [join(at, "device"), "c", "1", "3"]).status === 0)
      kinds.push("device");
    try {
      for (const kind of kinds) {
        fs.symlinkSync(kind, join(at, `link to ${kind}`));
        const before = fs.lstatSync(join(at, kind)).mode;
        for (const name of [kind, `link to ${kind}`])
          await expect(saveFile(join(at, name), params), name).rejects.toThrow(`${kind} is a ${kind}`);
        expect(fs.lstatSync(join(at, kind)).mode).toBe(before);
      }
      expect(fs.readdirSync(at)).toHaveLength(2 * kinds.length);
    } finally {
      server.close();
    }
  });

  test.each([`${"x".repeat(252)}.st`, "é".repeat(127), "-".repeat(255)])(
    "a name as long as the system takes: %s",
    async (name) => {
      const at = folder();
      for (let round = 0; round < 2; round++) await saveFile(join(at, name), params);
      await loadFile(join(at, name), params);
      expect(fs.readdirSync(at)).toEqual([name]);
    },
  );
});

describe("left-over temporary files", () => {
  const id = "0123456789abcdef0123456789abcdef";

  test("are removed only when their writer is surely dead, however old they are", async () => {
    const at = folder();
    const { temporary } = await calls(join(at, "elsewhere"));
    const [boot, namespace, pid, start] = temporary.split("-").slice(1);
    const removed: string[] = [];
    const kept = [
      `.gradstep-${id}.tmp`, // its writer is unknown
      `.gradstep-${id}-${namespace}-999999999-5-${id}.tmp`, // another boot or machine
      `.gradstep-${id}`,
      ".gradstep-mine.tmp",
      ".other.999999999-1.tmp",
      "run.tmp",
    ];
    if (process.platform === "linux") {
      removed.push(
        `.gradstep-${boot}-${namespace}-999999999-${start}-${id}.tmp`,
        `.gradstep-${boot}-${namespace}-${pid}-${Number(start) - 1}-${id}.tmp`, // the id belongs to a later process
      );
      kept.push(
        `.gradstep-${boot}-${namespace}-${pid}-${start}-${id}.tmp`,
        `.gradstep-${boot}-${Number(namespace) + 1}-999999999-5-${id}.tmp`, // another container
      );
    }
    for (const name of [...removed, ...kept]) {
      fs.writeFileSync(join(at, name), "x");
      fs.utimesSync(join(at, name), 0, 0);
    }
    await saveFile(join(at, "run"), params);
    expect(fs.readdirSync(at).sort()).toEqual([...kept, "elsewhere", "run"].sort());
  });

  test.skipIf(process.platform !== "linux")(
    "are looked for once a path, so that a full folder costs nothing later",
    async () => {
      const at = folder();
      const search = vi.spyOn(promises, "readdir");
      for (let i = 0; i < 3; i++) await saveFile(join(at, "run"), params);
      await saveFile(join(at, "other"), params);
      expect(search).toHaveBeenCalledTimes(2);
    },
  );

  test("have unique names", async () => {
    const at = folder();
    const names = new Set<string>();
    for (let i = 0; i < 5; i++) names.add((await calls(join(at, "run"))).temporary);
    expect(names.size).toBe(5);
    for (const name of names) expect(name.length).toBeLessThan(143); // what eCryptfs takes
  });
});
