import { Optimizer } from "../base.js";
import { knownOnly, oneOf, record, wrongType, wrongValue } from "../check.js";
import { refuseApplied } from "../ownership.js";
import { ParameterDict, type Tensor } from "../parameters.js";
import { crc32 } from "./crc.js";
import { parseJson, stringifyNumbers } from "./json.js";
import { expectFloat32, readFromTorch } from "./read.js";
import { type Contents, type Entry, damaged, pack, unpack } from "./safetensors.js";
import type { Options } from "./torch.js";
import { type Json, bytesOf, flatten, inflate } from "./values.js";
import { RESERVED, writeOptimizer } from "./write.js";

/** Any optimizer: whatever its options and the names of its tensors. */
export type AnyOptimizer = Pick<Optimizer, "stateDict" | "loadStateDict" | "dispose">;

/** What {@link save} writes beside the parameters. */
export interface SaveOptions {
  /** The optimizers, whose states go into the file; each on tensors of its own. */
  readonly optimizers?: readonly AnyOptimizer[] | undefined;
  /**
   * Anything else by name, such as the `stateDict()` of a schedule or an average: plain objects, arrays, typed arrays,
   * numbers (infinite ones too), strings, booleans and null.
   */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  /** Texts by name, for people and other programs. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /**
   * "float32" writes the state of optimizers with a small `stateFormat` as float32, as PyTorch reads it. Left out, it is
   * written as it is kept: smaller, and an optimizer of the same format goes on with the same bits.
   */
  readonly stateFormat?: "float32" | undefined;
}

/** What {@link load} fills beside the parameters. */
export interface LoadOptions {
  /** As many optimizers as the file has, in the same order and on the same tensors. Left out: only parameters are loaded. */
  readonly optimizers?: readonly AnyOptimizer[] | undefined;
}

/** What {@link load} returns: owned. */
export interface Loaded {
  /** What {@link SaveOptions.extra} was given, by name: for each `loadStateDict()`, which checks it. Without any, {}. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever was saved, for its loadStateDict() to check
  readonly extra: Record<string, any>;
  /** Texts by name: those of {@link SaveOptions.metadata}, or what another program wrote. */
  readonly metadata: Record<string, string>;
}

const VERSION = 1;
const [OWN, CHECKSUM, GROUPS, FORMAT] = ["gradstep", `${RESERVED}crc32`, "param_groups", "format"];
/** Where the checksum's digits stand, which count as zeros in it: behind the header's length and its first two names. */
const CHECKSUM_OPENING = `{"__metadata__":{"${CHECKSUM}":"`;
const CHECKSUM_AT = 8 + CHECKSUM_OPENING.length;
const NO_CHECKSUM = "00000000";

/**
 * Writes parameters, and whatever else is needed to go on with the same bits, as one safetensors file. The values of all
 * tensors of `params` and of the optimizers are in it under their names, and the optimizers' states under PyTorch's
 * flattened names: `state.<name>.exp_avg`, with the groups' options as JSON in the metadata entry `param_groups`.
 *
 * @param params The parameters, or a subset of them.
 * @param options The optimizers, and what else is to be in the file. Default: the parameters alone.
 * @returns The file, in memory of its own.
 * @throws TypeError, RangeError for what cannot be written, and for two tensors of one name; Error while an average is
 * applied to one of the tensors, unless there are no optimizers: parameters alone are saved as they stand.
 * @example
 * const bytes = save(params, { optimizers: [optimizer], extra: { schedule: schedule.stateDict() } });
 */
export function save<Name extends string>(params: ParameterDict<Name>, options: SaveOptions = {}): Uint8Array {
  const given = record("save", "options", options);
  knownOnly("save", "", given, ["optimizers", "extra", "metadata", "stateFormat"]);
  const decoded = given.stateFormat !== undefined;
  if (decoded) oneOf("float32").read("save", "stateFormat", given.stateFormat);
  const optimizers = optimizerList("save", options.optimizers);
  const tensors = allTensors("save", params, optimizers);
  if (optimizers.length > 0) refuseApplied("save", tensors.values());
  const entries = new Map<string, Entry>();
  const add = (name: string, entry: Entry): string => {
    if (entries.has(name)) throw wrongValue("save", "params", `no tensor with a name that state of another has`, name);
    entries.set(name, entry);
    return name;
  };
  for (const { name, shape, data } of tensors.values()) {
    checkName(name);
    add(name, { dtype: "F32", shape, bytes: bytesOf(data) });
  }
  const written = optimizers.map((optimizer, i) => writeOptimizer(optimizer, i, add, decoded));
  const extra = flatten(record("save", "extra", options.extra ?? {}), "extra", [], (path, entry) => {
    const name = `${RESERVED}extra.${path.join(".")}`;
    let free = name;
    for (let n = 2; entries.has(free); n++) free = `${name}~${n}`;
    return add(free, entry);
  });

  const own = { version: VERSION, params: [...tensors.keys()], optimizers: written.map(({ json }) => json), extra };
  const metadata = new Map([[CHECKSUM, NO_CHECKSUM]]);
  metadata.set(FORMAT, "pt");
  metadata.set(OWN, JSON.stringify(own));
  const paramGroups = Object.fromEntries(written.flatMap((optimizer) => Object.entries(optimizer.paramGroups)));
  if (optimizers.length > 0) metadata.set(GROUPS, stringifyNumbers(paramGroups));
  for (const [name, text] of Object.entries(record("save", "metadata", options.metadata ?? {}))) {
    if (typeof text !== "string") throw wrongType("save", `metadata.${name}`, "a string", text);
    if (isReserved(name))
      throw wrongValue("save", "metadata", `names other than "${FORMAT}", "${GROUPS}" and gradstep's`, name);
    metadata.set(name, text);
  }
  const file = pack(entries, metadata);
  file.set(new TextEncoder().encode(checksumOf(file)), CHECKSUM_AT);
  return file;
}

/**
 * Reads what {@link save} or PyTorch wrote, into `params` and the optimizers. The whole file and all that it is read into
 * are checked before anything is written: names, shapes, dtypes, rules, groups, and of a file of ours a checksum.
 * Hyper-parameters come from the file, as in PyTorch.
 *
 * @param bytes The whole file.
 * @param params The parameters to set; the file must have each of them, and the optimizers' tensors.
 * @param options As many optimizers as the file has, or none: then parameters alone are loaded.
 * @throws RangeError with what is wrong with the file, or does not fit; TypeError for a wrong argument; Error while an
 * average is applied to one of the tensors. Nothing is changed then.
 * @example
 * const { extra } = load(bytes, params, { optimizers: [optimizer] });
 * schedule.loadStateDict(extra.schedule);
 */
export function load<Name extends string>(
  bytes: Uint8Array,
  params: ParameterDict<Name>,
  options: LoadOptions = {},
): Loaded {
  if (Object.prototype.toString.call(bytes) !== "[object Uint8Array]")
    throw wrongType("load", "bytes", "a Uint8Array", bytes);
  knownOnly("load", "", record("load", "options", options), ["optimizers"]);
  const optimizers = optimizerList("load", options.optimizers);
  const tensors = allTensors("load", params, optimizers);
  refuseApplied("load", tensors.values());
  const file = bytesOf(bytes); // Node's Buffer has a slice() that copies nothing
  const contents = unpack(file);
  const own = readOwn(file, contents);

  const sources = [...tensors.values()].map(
    (tensor) => [tensor, expectFloat32(contents, tensor.name, tensor.shape)] as const,
  );
  const writers = own ? readOptimizers(optimizers, own, contents, tensors) : readForeign(optimizers, contents, tensors);
  const extra = own ? inflate(own.extra, giver(contents)) : {};
  const metadata = Object.fromEntries([...contents.metadata].filter(([name]) => !isReserved(name)));

  for (const [{ data }, source] of sources) bytesOf(data).set(source);
  for (const write of writers) write();
  return { extra: extra as Loaded["extra"], metadata };
}

const isReserved = (name: string): boolean =>
  name === FORMAT || name === GROUPS || name === OWN || name.startsWith(RESERVED);

function checkName(name: string): void {
  if (name === "__metadata__" || name.startsWith(RESERVED))
    throw wrongValue("save", "params", `names other than "__metadata__" and "${RESERVED}…"`, name);
  if (/\p{Surrogate}/u.test(name)) throw wrongValue("save", "params", "names without half a character", name);
}

function optimizerList(owner: string, given: readonly AnyOptimizer[] = []): readonly Optimizer[] {
  if (!Array.isArray(given)) throw wrongType(owner, "optimizers", "an array of optimizers", given);
  given.forEach((item: unknown, i) => {
    if (!(item instanceof Optimizer)) throw wrongType(owner, `optimizers[${i}]`, "an optimizer", item);
    if (given.indexOf(item) !== i) throw wrongValue(owner, `optimizers[${i}]`, "each optimizer once", item);
  });
  return given as readonly Optimizer[];
}

/** The tensors of the dictionary and of the optimizers, by name. */
function allTensors(owner: string, params: unknown, optimizers: readonly Optimizer[]): Map<string, Tensor> {
  if (!(params instanceof ParameterDict)) throw wrongType(owner, "params", "a ParameterDict", params);
  const tensors = new Map(params.tensors(owner).map((tensor) => [tensor.name, tensor]));
  optimizers.forEach((optimizer, i) => {
    for (const tensor of optimizer.tensors) {
      if (tensors.has(tensor.name) && tensors.get(tensor.name) !== tensor)
        throw wrongValue(owner, `optimizers[${i}]`, "no tensor with the name of another", tensor.name);
      tensors.set(tensor.name, tensor);
    }
  });
  return tensors;
}

function checksumOf(file: Uint8Array): string {
  const before = crc32(file.subarray(0, CHECKSUM_AT));
  const zeros = crc32(new TextEncoder().encode(NO_CHECKSUM), before);
  return crc32(file.subarray(CHECKSUM_AT + NO_CHECKSUM.length), zeros)
    .toString(16)
    .padStart(8, "0");
}

/** What a file of ours has beside what PyTorch's has. */
interface Own {
  readonly params: readonly string[];
  readonly optimizers: readonly Json[];
  readonly extra: Json;
}

function readOwn(file: Uint8Array, { metadata }: Contents): Own | undefined {
  const [text, checksum] = [metadata.get(OWN), metadata.get(CHECKSUM)];
  if (text === undefined && checksum === undefined) return undefined;
  const opening = String.fromCharCode(...file.subarray(8, CHECKSUM_AT));
  if (text === undefined || opening !== CHECKSUM_OPENING || checksum !== checksumOf(file))
    throw damaged("is not as gradstep wrote it: its checksum does not match");
  const own = parseJson(text, (fault) => damaged(`has metadata "${OWN}" that ${fault}`));
  const { version, params, optimizers, extra } = record("load", OWN, own);
  if (version !== VERSION)
    throw damaged(`is of version ${String(version)}, which this version of gradstep does not know`);
  if (!Array.isArray(params) || !Array.isArray(optimizers)) throw damaged(`has metadata "${OWN}" that lacks its lists`);
  return { params, optimizers, extra: record("load", `${OWN}.extra`, extra) as Json };
}

const giver =
  ({ tensors }: Contents) =>
  (name: string): Entry => {
    const entry = tensors.get(name);
    if (entry === undefined) throw damaged(`has no tensor "${name}"`);
    return entry;
  };

/** Checks the optimizers against a file of ours; what is returned writes them. */
function readOptimizers(
  optimizers: readonly Optimizer[],
  own: Own,
  contents: Contents,
  tensors: ReadonlyMap<string, Tensor>,
): (() => void)[] {
  const stranger = own.params.find((name) => !tensors.has(name));
  if (stranger !== undefined) throw wrongValue("load", "params", "all tensors of the file", `no "${stranger}"`);
  if (optimizers.length > 0 && optimizers.length !== own.optimizers.length)
    throw wrongValue("load", "optimizers", `${own.optimizers.length} optimizers, as the file has`, optimizers);
  return optimizers.map((optimizer, i) => optimizer.prepareLoad(inflate(own.optimizers[i], giver(contents))));
}

/** As {@link readOptimizers}, from a file of PyTorch's, or of weights alone. */
function readForeign(
  optimizers: readonly Optimizer[],
  contents: Contents,
  tensors: ReadonlyMap<string, Tensor>,
): (() => void)[] {
  const text = contents.metadata.get(GROUPS);
  if (optimizers.length > 0 && text === undefined)
    throw damaged(`has no state of an optimizer: no metadata "${GROUPS}"`);
  const fault = (what: string): RangeError => damaged(`has metadata "${GROUPS}" that ${what}`);
  const groups = record("load", GROUPS, text === undefined ? {} : parseJson(text, fault)) as Options;
  const used = new Set<string>();
  const writers = optimizers.map((optimizer) =>
    optimizer.prepareLoad(readFromTorch(optimizer, contents, groups, used)),
  );
  for (const name of contents.tensors.keys()) {
    if (tensors.has(name) || used.has(name)) continue;
    const isState = name.startsWith("state.");
    if (!isState) throw wrongValue("load", "params", "all tensors of the file", `no "${name}"`);
    if (optimizers.length > 0) throw wrongValue("load", "optimizers", "all states of the file", `none for "${name}"`);
  }
  return writers;
}
