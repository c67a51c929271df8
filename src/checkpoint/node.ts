/** What is used of Node's `fs/promises`. */
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
/** What is used of a file's `Stats`. */
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

/** Modules of Node, asked for by name at the time of use: nothing for a bundler to find, nothing for a browser to lack. */
export function node(owner: string): { files: Files; paths: Paths; process: Process } {
  const { process } = globalThis as { process?: Process };
  const files = process?.getBuiltinModule?.("node:fs/promises");
  const paths = process?.getBuiltinModule?.("node:path");
  if (process === undefined || files === undefined || paths === undefined)
    throw new Error(`${owner}: there is no file system here, as Node has; use save() and load()`);
  return { files: files as Files, paths: paths as Paths, process };
}
