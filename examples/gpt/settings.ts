// The settings of a run: from the command line, from a checkpoint, or by default.
import type { CheckpointFile, Identity } from "../command/checkpoint.ts";
import type { Sizes } from "./model.ts";

/** All that decides about the bits of a run but its text. */
export interface Settings extends Sizes {
  /** Of the whole run: the schedule goes over them. */
  readonly steps: number;
  /** Rows of a step. */
  readonly batch: number;
  /** The highest rate, after the warm-up. */
  readonly lr: number;
  /** Of the network's start, and of what it reads. */
  readonly seed: number;
}

export const defaults: Settings = {
  steps: 8000,
  layers: 4,
  width: 128,
  heads: 4,
  context: 64,
  batch: 16,
  lr: 1e-3,
  seed: 1,
};
const names = Object.keys(defaults) as (keyof Settings)[];

/** What a checkpoint says of its run. */
export interface SavedSettings extends Settings {
  /** The characters of the alphabet, one after the other. */
  readonly alphabet: string;
  /** The text's hash. */
  readonly text: string;
}

/** The metadata entry of {@link SavedSettings}. */
export const ENTRY = "gpt";

/** @throws UserError for a file that another program wrote. */
export function savedSettings({ identity, refuse }: CheckpointFile): SavedSettings {
  const saved: Partial<Record<string, unknown>> = identity;
  const fits = names.every((name) => Number.isFinite(saved[name]));
  if (!fits || typeof saved.alphabet !== "string" || typeof saved.text !== "string")
    throw refuse("it is no checkpoint of this command", 1);
  return identity as unknown as SavedSettings;
}

/** The settings that are given, else those of the checkpoint, else the defaults. */
export function settle(given: Partial<Settings>, saved: Settings | undefined): Settings {
  const settled = names.map((name) => [name, given[name] ?? saved?.[name] ?? defaults[name]]);
  return Object.fromEntries(settled) as Record<keyof Settings, number>;
}

/** What must be the same for a run to go on. */
export function identify(settings: Settings, text: string): Identity {
  const texts = names.map((name): [string, string] => [name, `${name} ${settings[name]}`]);
  return { ...Object.fromEntries(texts), text: `a text with the hash ${text}` };
}
