// load(): reads a file of gradstep or PyTorch into parameters and optimizers.
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import type { Optimizer } from "../optimizer/optimizer.js";
import { counted, flag, knownOnly, record, wrongValue } from "../util/check.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Saveable } from "../memory/saved.js";
import { refuseApplied } from "../memory/tensor.js";
import { isFloat, toFloat32 } from "./convert-dtypes.js";
import { allTensors, checkBytes, optimizerList, savedBeside } from "./arguments.js";
import { parseJson, quote } from "./json.js";
import { type Rename, fitting, foreignNames, renamed, renamer, underNames } from "./tensor-names.js";
import { GROUPS, type Own, isReserved, readOwn } from "./gradstep-metadata.js";
import { type TorchFile, readFromTorch } from "./torch-read.js";
import { type Contents, type Entry, damageOf, unpack } from "./safetensors.js";
import { isHarmless } from "./torch-forms.js";
import { Copies, type Plain } from "./plain-values.js";

/** What {@link load} fills besides the parameters, and how. */
export interface LoadOptions {
  /** As many optimizers as the file has, in the same order and for the same tensors. Default: load only the parameters. */
  readonly optimizers?: readonly AnyOptimizer[] | undefined;
  /**
   * Whether the file and `params` with the optimizers must have the same tensors; the file may also have tensors of integers
   * or booleans. Default true; false loads what is in both and returns the names of the rest.
   */
  readonly strict?: boolean | undefined;
  /**
   * Maps a tensor's name in the file to its name here; called once per name. The optimizer's state and options of the tensor
   * follow. Default: the same name.
   */
  readonly rename?: ((name: string) => string) | undefined;
}

/** What {@link load} returns: owned. */
export interface Loaded {
  /** What was saved as {@link SaveOptions.extra}: pass each to its `loadStateDict()`, which checks it. Default {}. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever was saved, for its loadStateDict() to check
  readonly extra: Record<string, any>;
  /** Strings by name: {@link SaveOptions.metadata}, or what another program wrote. */
  readonly metadata: Record<string, string>;
  /** Names of tensors that the file lacks and that were left unchanged: [] when strict. */
  readonly missing: string[];
  /**
   * Names, after `rename`, of the file's tensors that were not used: when strict only integers and booleans, such as
   * BatchNorm's `num_batches_tracked`. Without optimizers, optimizer state is not listed.
   */
  readonly unexpected: string[];
  /**
   * Entries of another program's `param_groups` for which no optimizer here has an option, such as
   * `param_groups.weight.caution`. Those that change no step, such as `foreach`, are left out. Without optimizers, [].
   */
  readonly unknown: string[];
}

/** A file, with tensors under their names here. */
interface Source {
  readonly tensors: ReadonlyMap<string, Entry>;
  readonly extra: Plain;
  /** Whether a tensor is part of an optimizer's state. */
  readonly isState: (name: string) => boolean;
  /** Checks what the file has for the optimizers. */
  read(optimizers: readonly Optimizer[], strict: boolean): Reading;
}

/** What optimizers read from a file. */
interface Reading {
  readonly writes: readonly (() => void)[];
  /** Names of the file's tensors that they use. */
  readonly used: ReadonlySet<string>;
  readonly missing: readonly string[];
  readonly unknown: string[];
}

const damaged = damageOf("load");
/** PyTorch's count of a batch normalization's batches, which nothing here depends on. */
const COUNTER = ".num_batches_tracked";

/**
 * Reads a file of {@link save} or of PyTorch into `params` and the optimizers. Everything is checked before anything is
 * written: names, shapes, dtypes, rules, groups, and the checksum of a file that gradstep wrote. Hyper-parameters come from
 * the file, as in PyTorch.
 *
 * BF16 and F16 are widened to float32, F64 is rounded, and integers and booleans must convert exactly. A step count may have
 * any of these types, with shape [] or [1].
 *
 * @param bytes The whole file.
 * @param params The parameters to set; or a `Network` or `MLP`, with its buffers. Counts of batches
 * (`num_batches_tracked`) are ignored then.
 * @param options As many optimizers as the file has, or none to load only the parameters. Default: strict.
 * @throws RangeError with what is wrong with the file or does not fit: a wrong shape always, a missing or additional tensor
 * when strict. TypeError for a wrong argument; Error while an average is applied to one of the tensors. Nothing is changed
 * then.
 * @example
 * const { extra } = load(bytes, params, { optimizers: [optimizer] });
 * schedule.loadStateDict(extra.schedule);
 * const { missing, unexpected } = load(pretrained, params, { strict: false, rename: (name) => name.replace(/^module\./, "") });
 */
export function load<Name extends string>(
  bytes: Uint8Array,
  params: ParameterDict<Name> | Saveable,
  options: LoadOptions = {},
): Loaded {
  const file = checkBytes("load", bytes);
  knownOnly("load", "", record("load", "options", options), ["optimizers", "strict", "rename"], {
    aliases: "rename=mapping",
  });
  const strict = options.strict === undefined || flag.read("load", "strict", options.strict);
  const rename = renamer(options.rename);
  const optimizers = optimizerList("load", options.optimizers);
  const tensors = allTensors("load", params, optimizers);
  refuseApplied("load", tensors.values());
  const contents = unpack(file);
  const own = readOwn(file, contents);

  const source = own ? gradstepSource(own, contents, rename) : foreignSource(contents, rename);

  const missing: string[] = [];
  const writes: (() => void)[] = [];
  for (const { name, shape, data } of tensors.values()) {
    const entry = source.tensors.get(name);
    if (entry === undefined) missing.push(name);
    else {
      const write = toFloat32(name, entry, shape);
      writes.push(() => write(data));
    }
  }
  const beside = savedBeside(params);
  const isCounter = (name: string): boolean =>
    beside !== undefined && name.endsWith(COUNTER) && tensors.has(name.replace(COUNTER, ".running_mean"));
  const rest = [...source.tensors.keys()].filter((name) => !tensors.has(name) && !isCounter(name));
  if (strict) {
    if (missing.length > 0) throw damaged(`has no tensor ${list(missing)}; strict: false loads the others`);
    refuseFloats("params", "all float tensors of the file", source, rest, false);
  }
  const read = source.read(optimizers, strict);
  const unexpected = rest.filter((name) => !source.isState(name) || (optimizers.length > 0 && !read.used.has(name)));
  if (strict) refuseFloats("optimizers", "all states of the file", source, unexpected, true);
  const metadata = Object.fromEntries([...contents.metadata].filter(([name]) => !isReserved(name)));

  for (const write of [...writes, ...read.writes]) write();
  if (beside && own?.steps !== undefined) beside.steps = own.steps;
  return {
    extra: source.extra as Loaded["extra"],
    metadata,
    missing: [...missing, ...read.missing],
    unexpected,
    unknown: read.unknown,
  };
}

/** Throws if one of these tensors, of optimizer state or else of parameters, holds other elements than integers. */
function refuseFloats(
  option: string,
  expected: string,
  { tensors, isState }: Source,
  names: readonly string[],
  ofStates: boolean,
): void {
  const floats = names.filter((name) => isState(name) === ofStates && isFloat(tensors.get(name)?.dtype ?? "F32"));
  if (floats.length > 0)
    throw new RangeError(`load: "${option}" expected ${expected}, got no ${list(floats)}; strict: false leaves them`);
}

/** The first three names, for a message. */
function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).map(quote).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** A file that gradstep wrote. */
function gradstepSource(own: Own, contents: Contents, rename: Rename): Source {
  const copies = new Copies(contents.tensors);
  const params = new Map<string, Entry>();
  for (const name of own.params) {
    const entry = contents.tensors.get(name);
    if (entry === undefined) throw damaged(`has no tensor ${quote(name)}`);
    params.set(name, entry);
  }
  return {
    tensors: renamed(params, rename),
    extra: copies.inflate(own.extra),
    isState: () => false,
    read(optimizers, strict) {
      if (optimizers.length > 0 && optimizers.length !== own.optimizers.length)
        throw wrongValue(
          "load",
          "optimizers",
          `${counted(own.optimizers.length, "optimizer")}, as the file has`,
          optimizers,
        );
      const writes = optimizers.map((optimizer, i) => {
        const saved = underNames(copies.inflate(own.optimizers[i]), rename);
        return optimizer.prepareLoad(strict ? saved : fitting(saved, optimizer.stateDict()));
      });
      return { writes, used: new Set(), missing: [], unknown: [] };
    },
  };
}

/** A file of PyTorch, or of weights alone. */
function foreignSource({ tensors, metadata }: Contents, rename: Rename): Source {
  const text = metadata.get(GROUPS);
  const fault = (what: string): RangeError => damaged(`has metadata "${GROUPS}" that ${what}`);
  const groups = record("load", GROUPS, text === undefined ? {} : parseJson(text, fault, "Python"));
  const foreign = foreignNames(tensors, new Map(Object.entries(groups)), rename);
  return {
    tensors: foreign.tensors,
    extra: {},
    isState: foreign.isState,
    read(optimizers, strict) {
      if (optimizers.length === 0) return { writes: [], used: new Set(), missing: [], unknown: [] };
      if (text === undefined) throw damaged(`has no state of an optimizer: no metadata "${GROUPS}"`);
      const torchFile: TorchFile = { ...foreign, strict, used: new Set(), usedEntries: new Set(), missing: [] };
      const writes = optimizers.map((optimizer) => optimizer.prepareLoad(readFromTorch(optimizer, torchFile)));
      const unknown = [...foreign.groups]
        .filter(([key, value]) => !torchFile.usedEntries.has(key) && !isHarmless(key, value))
        .map(([key]) => key);
      return { writes, used: torchFile.used, missing: torchFile.missing, unknown };
    },
  };
}
