import type { ParameterDict } from "../parameters.js";
import { type SaveOptions, save } from "./checkpoint.js";
import { type LoadOptions, type Loaded, load } from "./load.js";
import { type FileContents, read } from "./reader.js";

/** What is used of Node's `fs/promises`. */
interface Files {
  open(path: string, flags: string): Promise<Handle>;
  readFile(path: string): Promise<Uint8Array>;
  readdir(path: string): Promise<string[]>;
  realpath(path: string): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}
interface Handle {
  writeFile(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}
interface Paths {
  resolve(path: string): string;
  dirname(path: string): string;
  basename(path: string): string;
  join(...parts: string[]): string;
}
interface Process {
  readonly pid: number;
  readonly platform: string;
  kill(pid: number, signal: 0): void;
  getBuiltinModule?(name: string): unknown;
}

/** Modules of Node, asked for by name at the time of use: nothing for a bundler to find, nothing for a browser to lack. */
function node(owner: string): { files: Files; paths: Paths; process: Process } {
  const { process } = globalThis as { process?: Process };
  const files = process?.getBuiltinModule?.("node:fs/promises");
  const paths = process?.getBuiltinModule?.("node:path");
  if (process === undefined || files === undefined || paths === undefined)
    throw new Error(`${owner}: there is no file system here, as Node has; use save() and load()`);
  return { files: files as Files, paths: paths as Paths, process };
}

/** Temporary files that this process is writing. */
const writing = new Set<string>();
/** The last save to each path, so that a later one ends later. */
const queue = new Map<string, Promise<unknown>>();
let count = 0;

/**
 * {@link save} to a file, in Node: whatever happens meanwhile, the old file or the new one is there, whole. It is written
 * under a temporary name in the same folder, flushed to the disk and renamed; what a killed run has left of such files,
 * the next save to the same path removes. The state is that of the call: training can go on while it is written.
 *
 * @param path Of the file; its folder must be there.
 * @param params As {@link save} takes them.
 * @param options As {@link save} takes them.
 * @throws what {@link save} throws, and what the file system says; the old file is as it was then.
 * @example
 * await saveFile("run.safetensors", params, { optimizers: [optimizer] });
 */
export async function saveFile<Name extends string>(
  path: string,
  params: ParameterDict<Name>,
  options: SaveOptions = {},
): Promise<void> {
  const { files, paths } = node("saveFile");
  const bytes = save(params, options);
  const resolved = paths.resolve(path);
  const before = queue.get(resolved) ?? Promise.resolve();
  const after = before.then(async () => {
    const target = await files.realpath(resolved).catch(() => resolved);
    await replace(target, bytes);
  });
  const settled = after.catch(() => undefined);
  queue.set(resolved, settled);
  try {
    await after;
  } finally {
    if (queue.get(resolved) === settled) queue.delete(resolved);
  }
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const { files, paths, process } = node("saveFile");
  const folder = paths.dirname(path);
  const prefix = `.${paths.basename(path)}.`;
  const temporary = paths.join(folder, `${prefix}${process.pid}-${++count}.tmp`);
  writing.add(temporary);
  try {
    await removeLeftOver(folder, prefix);
    const handle = await files.open(temporary, "w");
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await files.rename(temporary, path);
  } catch (error) {
    await files.unlink(temporary).catch(() => undefined);
    throw error;
  } finally {
    writing.delete(temporary);
  }
  if (process.platform === "win32") return; // where a folder cannot be flushed
  const handle = await files.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Temporary files of processes that are no more. */
async function removeLeftOver(folder: string, prefix: string): Promise<void> {
  const { files, paths, process } = node("saveFile");
  for (const name of await files.readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const match = /^(\d+)-\d+\.tmp$/.exec(name.slice(prefix.length));
    const path = paths.join(folder, name);
    if (match === null || writing.has(path)) continue;
    const pid = Number(match[1]);
    if (pid !== process.pid && isAlive(process, pid)) continue;
    await files.unlink(path).catch(() => undefined);
  }
}

function isAlive(process: Process, pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

/**
 * {@link load} from a file, in Node.
 *
 * @param path Of the file.
 * @param params As {@link load} takes them.
 * @param options As {@link load} takes them.
 * @throws what {@link load} throws, and what the file system says. Nothing is changed then.
 * @example
 * const { extra } = await loadFile("run.safetensors", params, { optimizers: [optimizer] });
 */
export async function loadFile<Name extends string>(
  path: string,
  params: ParameterDict<Name>,
  options: LoadOptions = {},
): Promise<Loaded> {
  return load(await node("loadFile").files.readFile(path), params, options);
}

/**
 * {@link read} of a file, in Node.
 *
 * @param path Of the file.
 * @returns As {@link read}.
 * @throws what {@link read} throws, and what the file system says.
 * @example
 * const { tensors } = await readFile("model.safetensors");
 */
export async function readFile(path: string): Promise<FileContents> {
  return read(await node("readFile").files.readFile(path));
}
