// saveFile(), loadFile() and readFile(): checkpoints in files, in Node.
import type { ParameterDict } from "../memory/parameters.js";
import type { Saveable } from "../memory/saved.js";
import { type SaveOptions, save } from "./save.js";
import { type LoadOptions, type Loaded, load } from "./load.js";
import { type FileContents, read } from "./read.js";
import { wrongType } from "../util/check.js";
import { type Stats, node } from "./node.js";
import { removeLeftOver, temporaryName } from "./temporary-files.js";

/** The last pending save to each path: saves to one path run in order. */
const queue = new Map<string, Promise<unknown>>();
/** Paths in whose folders left-over temporary files have been looked for. */
const searched = new Set<string>();

/**
 * {@link save} to a file, in Node. Writes a temporary file in the same folder, flushes it to the disk and renames it, so
 * that the path always holds a whole file, old or new, even when the process dies or others save to it too. Saves the state
 * at the time of the call: training can go on meanwhile.
 *
 * The first save to a path removes temporary files (`.gradstep-….tmp`) from its folder whose writer is surely dead: on
 * Linux, a process of the same boot and container that no longer exists. All others stay.
 *
 * Follows links. An existing file keeps its mode, and its owner where the system permits it.
 *
 * @param path The file's path; its folder must exist.
 * @param params As for {@link save}.
 * @param options As for {@link save}.
 * @throws as {@link save} and the file system do, TypeError unless the path is a string, and Error if it is a folder, device,
 * FIFO or socket. What was at the path is unchanged then.
 * @example
 * await saveFile("run.safetensors", params, { optimizers: [optimizer] });
 */
export async function saveFile<Name extends string>(
  path: string,
  params: ParameterDict<Name> | Saveable,
  options: SaveOptions = {},
): Promise<void> {
  const { paths, process } = node("saveFile");
  if (typeof path !== "string") throw wrongType("saveFile", "path", "a string", path);
  const bytes = save(params, options);
  const absolute = paths.isAbsolute(path) ? path : `${process.cwd()}/${path}`;
  const before = queue.get(absolute) ?? Promise.resolve();
  const after = before.then(() => replace(absolute, bytes));
  const settled = after.catch(() => undefined);
  queue.set(absolute, settled);
  try {
    await after;
  } finally {
    if (queue.get(absolute) === settled) queue.delete(absolute);
  }
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const { files, paths } = node("saveFile");
  const { target, folder, old } = await resolveTarget(path);
  const temporary = paths.join(folder, await temporaryName());
  // The temporary file must not be readable by those who cannot read the old one.
  const handle = await files.open(temporary, "wx", old === undefined ? 0o666 : 0o600);
  try {
    try {
      if (!searched.has(target)) await removeLeftOver(folder);
      searched.add(target);
      await handle.writeFile(bytes);
      if (old !== undefined) await copyOwnerAndMode(old, temporary);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await files.rename(temporary, target);
  } catch (error) {
    await files.unlink(temporary).catch(() => undefined);
    throw error;
  }
  // Not every system can flush a folder, and the file is in place by now.
  await flush(folder).catch(() => undefined);
}

/** Resolves links, of which the last may be dangling; `old` is the existing file, if any. */
async function resolveTarget(path: string): Promise<{ target: string; folder: string; old: Stats | undefined }> {
  const { files, paths } = node("saveFile");
  let next = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const folder = await files.realpath(paths.dirname(next));
    const target = paths.join(folder, paths.basename(next));
    const old = await files.lstat(target).catch((error: unknown) => {
      if ((error as { code?: string }).code !== "ENOENT") throw error;
      return undefined;
    });
    if (old?.isSymbolicLink()) {
      const link = await files.readlink(target);
      next = paths.isAbsolute(link) ? link : `${folder}/${link}`;
      continue;
    }
    if (old !== undefined && !old.isFile()) {
      const kinds = { "a folder": old.isDirectory(), "a FIFO": old.isFIFO(), "a socket": old.isSocket() };
      const [kind] = Object.entries(kinds).find(([, is]) => is) ?? ["a device"];
      throw new Error(`saveFile: expected a file or a free name, but ${target.slice(-200)} is ${kind}`);
    }
    return { target, folder, old };
  }
  throw new Error(`saveFile: ${path.slice(-200)} leads through more than ${MAX_LINKS} links`);
}
/** The limit of Linux. */
const MAX_LINKS = 40;

/** Gives a file the owner and the mode of the old one, as far as the system permits. */
async function copyOwnerAndMode(old: Stats, path: string): Promise<void> {
  const { files } = node("saveFile");
  const made = await files.lstat(path);
  if (made.uid !== old.uid || made.gid !== old.gid)
    await files
      .chown(path, old.uid, old.gid)
      .catch(() => files.chown(path, made.uid, old.gid))
      .catch(() => undefined);
  // Last, since a change of the owner may clear mode bits.
  if (made.mode !== old.mode) await files.chmod(path, old.mode & 0o7777).catch(() => undefined);
}

async function flush(folder: string): Promise<void> {
  const { files } = node("saveFile");
  const handle = await files.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * {@link load} from a file, in Node.
 *
 * @param path The file's path.
 * @param params As for {@link load}.
 * @param options As for {@link load}.
 * @throws as {@link load} and the file system do. Nothing is changed then.
 * @example
 * const { extra } = await loadFile("run.safetensors", params, { optimizers: [optimizer] });
 */
export async function loadFile<Name extends string>(
  path: string,
  params: ParameterDict<Name> | Saveable,
  options: LoadOptions = {},
): Promise<Loaded> {
  return load(await node("loadFile").files.readFile(path), params, options);
}

/**
 * {@link read} of a file, in Node.
 *
 * @param path The file's path.
 * @returns As {@link read}.
 * @throws as {@link read} and the file system do.
 * @example
 * const { tensors } = await readFile("model.safetensors");
 */
export async function readFile(path: string): Promise<FileContents> {
  return read(await node("readFile").files.readFile(path));
}
