// The checkpoint of a run: a file of gradstep/checkpoint whose metadata says what run it is of and how far that is.
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import { show } from "../util/check.js";
import type { Saved, Store } from "./interfaces.js";
import type { Model } from "./model.js";

/** The key in the file's metadata. */
const KEY = "distributed";

interface Metadata extends Omit<Saved, "loss"> {
  /** JSON has no NaN. */
  readonly loss: number | null;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Keeps a run in a file; without a path, nowhere. `settings`: all that must be the same to continue. */
export function makeStore(
  owner: string,
  path: string | undefined,
  model: Model,
  optimizer: AnyOptimizer,
  settings: Readonly<Record<string, unknown>>,
): Store {
  if (path === undefined) return { load: () => Promise.resolve(undefined), save: () => Promise.resolve() };
  // Only who saves needs it: a page that joins does not load it.
  let files: typeof import("../checkpoint/index.js") | undefined;
  const optimizers = [optimizer];
  return {
    async load() {
      const { readFile, loadFile } = (files = await import("../checkpoint/index.js"));
      let found: Readonly<Record<string, string | undefined>>;
      try {
        found = (await readFile(path)).metadata;
      } catch (error) {
        if ((error as { code?: string }).code === "ENOENT") return undefined;
        throw error;
      }
      const text = found[KEY];
      if (text === undefined) throw new RangeError(`${owner}: ${show(path)} is not the checkpoint of a run`);
      const metadata = JSON.parse(text) as Metadata;
      for (const [name, value] of Object.entries(settings))
        if (JSON.stringify(metadata.settings[name]) !== JSON.stringify(value)) throw different(name, metadata, value);
      const { extra } = await loadFile(path, model.saveable, { optimizers });
      for (const [name, data] of Object.entries((extra.buffers ?? {}) as Record<string, Float32Array>))
        model.buffers[name].set(data);
      const { round, loss, inner, liars } = metadata;
      return { round, loss: loss ?? NaN, inner, liars };
    },
    // Called after load.
    save({ round, loss, inner, liars }) {
      const text = JSON.stringify({ settings, round, loss, inner, liars } satisfies Metadata);
      const extra = model.named ? { buffers: { ...model.buffers } } : {};
      return files!.saveFile(path, model.saveable, { optimizers, extra, metadata: { [KEY]: text } });
    },
  };

  function different(name: string, metadata: Metadata, value: unknown): RangeError {
    const what: Record<string, string> = { form: "other parameters or buffers", outer: "another outer optimizer" };
    const given = what[name] ?? `"${name}" ${show(metadata.settings[name])}, not ${show(value)}`;
    return new RangeError(
      `${owner}: ${show(path)} is the checkpoint of a run with ${given}: remove it, or name another`,
    );
  }
}
