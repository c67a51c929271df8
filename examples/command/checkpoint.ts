// The files of --checkpoint and --resume: checked before any time is spent on training.
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { read } from "gradstep/checkpoint";
import { UserError } from "./errors.ts";

/** What must be the same when a run goes on, as a text by the option that says it. */
export type Identity = Readonly<Record<string, string>>;

/** A checkpoint that a command has written. */
export interface CheckpointFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  readonly identity: Identity;
  /** The error for a file that is of no use. */
  readonly refuse: (what: string, exitCode: 1 | 2) => UserError;
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** @throws UserError where no checkpoint could be written. */
export function checkPlace(checkpoint: string | undefined): void {
  if (checkpoint === undefined) return;
  const path = resolve(checkpoint);
  const folder = dirname(path);
  const refuse = (what: string): UserError => new UserError(`cannot write ${checkpoint}: ${what}`, 1);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw refuse(`there is no folder ${folder}`);
  if (existsSync(path) && !statSync(path).isFile()) throw refuse("it is no file");
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw refuse(`nothing may be written into the folder ${folder}`);
  }
}

/** Waits until a checkpoint is written. @throws UserError if it cannot be. */
export async function written(path: string, write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    throw new UserError(`cannot write ${path}: ${reason(error)}`, 1);
  }
}

/**
 * Reads a checkpoint whose metadata has the {@link Identity} of its run under `entry`; `purpose` is for messages.
 * @throws UserError for a file that is missing, damaged, or not of this command.
 */
export function openCheckpoint(path: string, entry: string, purpose = "resume from"): CheckpointFile {
  const refuse = (what: string, exitCode: 1 | 2): UserError =>
    new UserError(`cannot ${purpose} ${path}: ${what}`, exitCode);
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${reason(error)}`, 1);
  }
  let metadata;
  try {
    ({ metadata } = read(bytes));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refuse(error.message, 1);
  }
  const identity = identityIn(metadata[entry]);
  if (!identity) throw refuse("it is no checkpoint of this command", 1);
  return { path, bytes, metadata, identity, refuse };
}

function identityIn(text: string | undefined): Identity | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null ? (value as Identity) : undefined;
  } catch {
    return undefined;
  }
}

/** @throws UserError for a file of a run with other settings. */
export function checkIdentity({ identity: saved, refuse }: CheckpointFile, identity: Identity): void {
  const name = Object.keys({ ...saved, ...identity }).find((name) => saved[name] !== identity[name]);
  if (name === undefined) return;
  throw refuse(`its run had ${saved[name] ?? `no ${name}`}, this one ${identity[name] ?? "none"}`, 2);
}

/** Runs `load`. @throws UserError if the file does not fit. */
export function loadInto<T>({ refuse }: CheckpointFile, load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw refuse(error.message, 1);
  }
}
