// save(): parameters, optimizers and other state as one safetensors file.
import { knownOnly, oneOf, record, wrongType, wrongValue } from "../util/check.js";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Saveable } from "../memory/saved.js";
import { refuseApplied } from "../memory/tensor.js";
import { allTensors, optimizerList, savedBeside } from "./arguments.js";
import { stringifyNumbers } from "./json.js";
import { GROUPS, isReserved, ownMetadata, writeChecksum } from "./gradstep-metadata.js";
import { type Entry, pack } from "./safetensors.js";
import { bytesOf, flatten } from "./plain-values.js";
import { RESERVED, writeOptimizer } from "./torch-write.js";

/** What {@link save} writes besides the parameters. */
export interface SaveOptions {
  /** Optimizers whose states to save; each has its own tensors. */
  readonly optimizers?: readonly AnyOptimizer[] | undefined;
  /**
   * Anything else by name, such as the `stateDict()` of a schedule or an average: plain objects, arrays, typed arrays,
   * numbers (NaN and infinities too), strings, booleans and null.
   */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  /** Strings by name, for people and other programs. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /**
   * "float32" writes bfloat16 and 8-bit state as float32, which PyTorch can read. Default: each optimizer's own format,
   * which is smaller and continues with the same bits.
   */
  readonly stateFormat?: "float32" | undefined;
}

/**
 * Writes parameters and the state to continue training with the same bits as one safetensors file. The tensors of `params`
 * and of the optimizers have their own names in it, and optimizer state has PyTorch's flattened names,
 * `state.<name>.exp_avg`, with the groups' options as JSON in the metadata entry `param_groups`.
 *
 * @param params The parameters, or a subset of them; or a `Network` or `MLP`, with its buffers and what dropout continues from.
 * @param options What else to save. Default: the parameters alone.
 * @returns The file's bytes: owned.
 * @throws TypeError, RangeError for a value that cannot be written, and for two tensors with the same name; with optimizers,
 * Error while an average is applied to one of the tensors; without, the average is saved. Error between the two steps of a SAM.
 * @example
 * const bytes = save(params, { optimizers: [optimizer], extra: { schedule: schedule.stateDict() } });
 */
export function save<Name extends string>(
  params: ParameterDict<Name> | Saveable,
  options: SaveOptions = {},
): Uint8Array {
  const given = record("save", "options", options);
  knownOnly("save", "", given, ["optimizers", "extra", "metadata", "stateFormat"], {
    aliases: "extra=schedulers",
  });
  const decoded = given.stateFormat !== undefined;
  if (decoded) oneOf(["float32"]).read("save", "stateFormat", given.stateFormat);
  const optimizers = optimizerList("save", options.optimizers);
  const tensors = allTensors("save", params, optimizers);
  const unsaved = [...tensors.values()].filter(({ applied }) => optimizers.length > 0 || applied?.isResult === false);
  refuseApplied("save", unsaved);
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

  const metadata = ownMetadata({
    params: [...tensors.keys()],
    optimizers: written.map(({ json }) => json),
    extra,
    steps: savedBeside(params)?.steps,
  });
  const paramGroups = Object.fromEntries(written.flatMap((optimizer) => Object.entries(optimizer.paramGroups)));
  if (optimizers.length > 0) metadata.set(GROUPS, stringifyNumbers(paramGroups));
  for (const [name, text] of Object.entries(record("save", "metadata", options.metadata ?? {}))) {
    if (typeof text !== "string") throw wrongType("save", `metadata.${name}`, "a string", text);
    if (isReserved(name))
      throw wrongValue("save", "metadata", `names other than "format", "${GROUPS}" and gradstep's`, name);
    metadata.set(name, text);
  }
  const file = pack(entries, metadata);
  writeChecksum(file);
  return file;
}

function checkName(name: string): void {
  if (name === "__metadata__" || name.startsWith(RESERVED))
    throw wrongValue("save", "params", `names other than "__metadata__" and "${RESERVED}…"`, name);
  if (/\p{Surrogate}/u.test(name)) throw wrongValue("save", "params", "names without half a character", name);
}
