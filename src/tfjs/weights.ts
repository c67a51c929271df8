import { type Tensor, util } from "@tensorflow/tfjs-core";
import { record, whole, wrongType, wrongValue } from "../util/check.js";
import { parseJson, stringifyNumbers } from "../checkpoint/json.js";
import { same } from "../state/validation.js";
import type { Vector } from "../memory/tensor.js";
import type { OptimizerState, TensorStateDict } from "../state/state-dict.js";
import { lazyTensor } from "./lazy-tensor.js";

/** A tensor with its name. TensorFlow.js has this type but does not export it. */
export interface NamedTensor {
  /** The name of a variable or of a part of the state. */
  name: string;
  /** The values. */
  tensor: Tensor;
}

/** Tells apart variables of one name when state is loaded. Files of version 0.1 have no marks. */
export interface Mark {
  /** The fingerprint of the variable's values at the time of saving. */
  readonly values?: string | undefined;
  /** A number shared by the variables that were added together, as those of one model are. */
  readonly model?: number | undefined;
}

/** An optimizer's state and the marks of its variables. */
export interface SavedState {
  readonly state: OptimizerState;
  readonly marks: Readonly<Record<string, Mark>>;
}

const FORMAT = "gradstep/tfjs";
const VERSION = 1;
const STEPS = "iter";
const REST = "gradstep";

/**
 * Converts state to named tensors: `iter`, as in TensorFlow.js's own optimizers; `gradstep`, a JSON string with all numbers,
 * which float32 would round; and each slot as `<variable>/<slot>`.
 */
export function toWeights(iterations: number, { state: { state, ...rest }, marks }: SavedState): NamedTensor[] {
  const tensors = Object.entries(state).map(([name, { slots, ...numbers }]) => ({
    name,
    ...numbers,
    ...marks[name],
    slots: Object.keys(slots),
  }));
  const json = stringifyNumbers({ ...rest, format: FORMAT, version: VERSION, tensors });
  const weights: NamedTensor[] = [
    { name: STEPS, tensor: lazyTensor(Int32Array.of(iterations), [], "int32") },
    { name: REST, tensor: lazyTensor([json], [], "string") },
  ];
  for (const [name, { shape, slots }] of Object.entries(state))
    for (const [slot, values] of Object.entries(slots as Record<string, Float32Array>)) {
      const fits = values.length === util.sizeFromShape([...shape]);
      weights.push({
        name: `${name}/${slot}`,
        tensor: lazyTensor(values, fits ? [...shape] : [values.length], "float32"),
      });
    }
  return weights;
}

/** The inverse of {@link toWeights}, in owned copies. The state must be of this rule and have this number of groups. */
export async function fromWeights(
  owner: string,
  weights: unknown,
  rule: string,
  groups: number,
): Promise<SavedState & { iterations: number }> {
  const expected = "an array of named tensors, as getWeights() gives";
  if (!Array.isArray(weights)) throw wrongType(owner, "weights", expected, weights);
  const byName = new Map<string, Tensor>();
  weights.forEach((weight: Partial<NamedTensor> | null | undefined, i) => {
    if (typeof weight?.name !== "string" || typeof weight.tensor?.data !== "function")
      throw wrongType(owner, `weights[${i}]`, "a tensor with its name, as getWeights() gives", weight);
    byName.set(weight.name, weight.tensor);
  });
  const find = (name: string) => {
    const found = byName.get(name);
    if (found === undefined)
      throw wrongValue(owner, "weights", `a tensor "${name}", as getWeights() gives`, [...byName.keys()]);
    return found;
  };
  const [iterations] = await find(STEPS).data();
  const [json] = (await find(REST).data()) as unknown as string[];
  const { tensors, ...rest } = record(
    owner,
    REST,
    parseJson(json, (fault) => new RangeError(`${owner}: weight "${REST}" ${fault}`), "Python"),
  );
  same(owner, `${REST}.format`, rest.format, FORMAT);
  same(owner, `${REST}.version`, rest.version, VERSION);
  same(owner, `${REST}.rule`, String(rest.rule).toLowerCase(), rule);
  if (!Array.isArray(rest.groups) || rest.groups.length !== groups)
    throw wrongValue(owner, `${REST}.groups`, `${groups} groups, as the optimizer has`, rest.groups);
  if (!Array.isArray(tensors)) throw wrongType(owner, `${REST}.tensors`, "an array", tensors);
  const state: Record<string, TensorStateDict> = {};
  const marks: Record<string, Mark> = {};
  for (const item of tensors as unknown[]) {
    const {
      name,
      slots,
      values: fingerprint,
      model,
      ...numbers
    } = record(owner, `${REST}.tensors`, item) as unknown as Omit<TensorStateDict, "slots"> &
      Mark & { name: string; slots: string[] };
    const values: [string, Vector][] = [];
    for (const slot of slots) values.push([slot, Float32Array.from(await find(`${name}/${slot}`).data())]);
    state[name] = { ...numbers, slots: Object.fromEntries(values) };
    marks[name] = {
      values: typeof fingerprint === "string" ? fingerprint : undefined,
      model: Number.isSafeInteger(model) ? model : undefined,
    };
  }
  return {
    iterations: whole.read(owner, STEPS, iterations),
    state: { ...rest, format: "gradstep/optimizer", version: 1, state } as unknown as OptimizerState,
    marks,
  };
}
