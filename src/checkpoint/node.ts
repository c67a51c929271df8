// The parts of Node that saveFile, loadFile and readFile use, and how they get them.

/** The part of Node's `fs/promises` that is used. */
export interface Files {
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, uid: number, gid: number): Promise<void>;
  lstat(path: string): Promise<Stats>;
  open(path: string, flags: string, mode?: number): Promise<Handle>;
  readFile(path: string): Promise<Uint8Array>;
  readFile(path: string, encoding: "utf8"): Promise<string>;
  readdir(path: string): Promise<string[]>;
  readlink(path: string): Promise<string>;
  realpath(path: string): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}
/** The part of `Stats` that is used. */
export interface Stats {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
  isSymbolicLink(): boolean;
}
interface Handle {
  writeFile(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}
interface Paths {
  basename(path: string): string;
  dirname(path: string): string;
  isAbsolute(path: string): boolean;
  join(...parts: string[]): string;
}
interface Process {
  readonly pid: number;
  cwd(): string;
  kill(pid: number, signal: 0): void;
  getBuiltinModule?(name: string): unknown;
}

/** Node's modules, looked up at the time of use and not imported, so that bundlers and browsers need not have them. */
export function node(owner: string): { files: Files; paths: Paths; process: Process } {
  const { process } = globalThis as { process?: Process };
  const files = process?.getBuiltinModule?.("node:fs/promises");
  const paths = process?.getBuiltinModule?.("node:path");
  if (process === undefined || files === undefined || paths === undefined)
    throw new Error(`${owner}: there is no file system here, as Node has; use save() and load()`);
  return { files: files as Files, paths: paths as Paths, process };
}
