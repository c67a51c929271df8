import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import type { Optimizer } from "../optimizer/optimizer.js";
import { counted, flag, knownOnly, record, wrongValue } from "../util/check.js";
import type { ParameterDict } from "../memory/parameters.js";
import { refuseApplied } from "../memory/tensor.js";
import { isFloat, toFloat32 } from "./convert-dtypes.js";
import { allTensors, fileGiven, optimizerList } from "./arguments.js";
import { parseJson, quote } from "./json.js";
import { type Rename, fitting, foreignNames, renamed, renamer, underNames } from "./tensor-names.js";
import { GROUPS, type Own, isReserved, readOwn } from "./gradstep-metadata.js";
import { type Taken, readFromTorch } from "./torch-read.js";
import { type Contents, type Entry, damageOf, unpack } from "./safetensors.js";
import { isHarmless } from "./torch-forms.js";
import { Copies, type Plain } from "./plain-values.js";

/** What {@link load} fills beside the parameters, and how. */
export interface LoadOptions {
  /** As many optimizers as the file has, in the same order and on the same tensors. Left out: only parameters are loaded. */
  readonly optimizers?: readonly AnyOptimizer[] | undefined;
  /**
   * Whether the file must have every tensor of `params` and of the optimizers, and these every tensor of the file whose
   * elements are no integers or booleans. Default true; false loads what is in both and tells the rest.
   */
  readonly strict?: boolean | undefined;
  /**
   * The name here of a tensor that has this one in the file; called once for each. An optimizer's state and options of a
   * tensor follow it. Default: the same.
   */
  readonly rename?: ((name: string) => string) | undefined;
}

/** What {@link load} returns: owned. */
export interface Loaded {
  /** What {@link SaveOptions.extra} was given, by name: for each `loadStateDict()`, which checks it. Without any, {}. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever was saved, for its loadStateDict() to check
  readonly extra: Record<string, any>;
  /** Texts by name: those of {@link SaveOptions.metadata}, or what another program wrote. */
  readonly metadata: Record<string, string>;
  /** Names of tensors that the file does not have and that were left as they are: [] when strict. */
  readonly missing: string[];
  /**
   * Names of the file's tensors that nobody asked for, as `rename` gives them: integers and booleans alone when strict,
   * such as BatchNorm's `num_batches_tracked`. Without optimizers, an optimizer's state is not among them.
   */
  readonly unexpected: string[];
  /**
   * Entries of another program's `param_groups` that no optimizer here has an option for, such as
   * `param_groups.weight.caution`, but for those that change no step, such as `foreach`. Without optimizers, [].
   */
  readonly unknown: string[];
}

/** A file, under the names that tensors have here. */
interface Source {
  readonly tensors: ReadonlyMap<string, Entry>;
  readonly extra: Plain;
  /** Whether a tensor belongs to an optimizer's state. */
  readonly isState: (name: string) => boolean;
  /** Checks the optimizers against it. */
  read(optimizers: readonly Optimizer[], strict: boolean): Reading;
}

/** What optimizers read of a file. */
interface Reading {
  readonly writes: readonly (() => void)[];
  /** Tensors of it that they asked for. */
  readonly used: ReadonlySet<string>;
  readonly missing: readonly string[];
  readonly unknown: string[];
}

const damaged = damageOf("load");

/**
 * Reads what {@link save} or PyTorch wrote, into `params` and the optimizers. The whole file and all that it is read into
 * are checked before anything is written: names, shapes, dtypes, rules, groups, and of a file of ours a checksum.
 * Hyper-parameters come from the file, as in PyTorch.
 *
 * BF16 and F16 are widened to float32, F64 is rounded to it, integers and booleans that have a name of `params` are
 * converted where that is exact. A step count may be of any of these, of shape [] or [1].
 *
 * @param bytes The whole file.
 * @param params The parameters to set.
 * @param options As many optimizers as the file has, or none: then parameters alone are loaded. Default: strict.
 * @throws RangeError with what is wrong with the file, or does not fit: a wrong shape in any case, what one side lacks when
 * strict. TypeError for a wrong argument; Error while an average is applied to one of the tensors. Nothing is changed then.
 * @example
 * const { extra } = load(bytes, params, { optimizers: [optimizer] });
 * schedule.loadStateDict(extra.schedule);
 * const { missing, unexpected } = load(pretrained, params, { strict: false, rename: (name) => name.replace(/^module\./, "") });
 */
export function load<Name extends string>(
  bytes: Uint8Array,
  params: ParameterDict<Name>,
  options: LoadOptions = {},
): Loaded {
  const file = fileGiven("load", bytes);
  knownOnly("load", "", record("load", "options", options), ["optimizers", "strict", "rename"]);
  const strict = options.strict === undefined || flag.read("load", "strict", options.strict);
  const rename = renamer(options.rename);
  const optimizers = optimizerList("load", options.optimizers);
  const tensors = allTensors("load", params, optimizers);
  refuseApplied("load", tensors.values());
  const contents = unpack(file);
  const own = readOwn(file, contents);

  const source = own ? sourceOf(own, contents, rename) : foreignSource(contents, rename);

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
  const rest = [...source.tensors.keys()].filter((name) => !tensors.has(name));
  if (strict) {
    if (missing.length > 0) throw damaged(`has no tensor ${list(missing)}; strict: false loads the others`);
    refuseFloats("params", "all float tensors of the file", source, rest, false);
  }
  const read = source.read(optimizers, strict);
  const unexpected = rest.filter((name) => !source.isState(name) || (optimizers.length > 0 && !read.used.has(name)));
  if (strict) refuseFloats("optimizers", "all states of the file", source, unexpected, true);
  const metadata = Object.fromEntries([...contents.metadata].filter(([name]) => !isReserved(name)));

  for (const write of [...writes, ...read.writes]) write();
  return {
    extra: source.extra as Loaded["extra"],
    metadata,
    missing: [...missing, ...read.missing],
    unexpected,
    unknown: read.unknown,
  };
}

/** Throws where some of these tensors, either those of states or the others, have elements other than integers. */
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

/** Names for a message: the first three. */
function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).map(quote).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** A file of ours. */
function sourceOf(own: Own, contents: Contents, rename: Rename): Source {
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

/** A file of PyTorch's, or of weights alone. */
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
      const taken: Taken = { ...foreign, strict, used: new Set(), usedEntries: new Set(), missing: [] };
      const writes = optimizers.map((optimizer) => optimizer.prepareLoad(readFromTorch(optimizer, taken)));
      const unknown = [...foreign.groups]
        .filter(([key, value]) => !taken.usedEntries.has(key) && !isHarmless(key, value))
        .map(([key]) => key);
      return { writes, used: taken.used, missing: taken.missing, unknown };
    },
  };
}
