// Writes an optimizer's state under PyTorch's flattened names, and its groups' options as the metadata `param_groups`.
import type { Optimizer } from "../optimizer/optimizer.js";
import { toFloat32 } from "../state/small-formats.js";
import type { Vector } from "../memory/tensor.js";
import type { OptimizerState } from "../state/state-dict.js";
import { groupKey, stateKey } from "./tensor-names.js";
import type { Entry } from "./safetensors.js";
import { type Options, type TorchForm, optionName, slotShape, snakeCase, torchForm } from "./torch-forms.js";
import { type Json, bytesOf, flatten } from "./plain-values.js";

/** The prefix of names of tensors and metadata that only gradstep reads. */
export const RESERVED = "gradstep.";

const float32 = (value: number): Entry => ({ dtype: "F32", shape: [], bytes: bytesOf(Float32Array.of(value)) });

/** What {@link writeOptimizer} returns. */
interface Written {
  /** The whole state dict, with names of tensors in place of vectors. */
  readonly json: Json;
  readonly paramGroups: Options;
}

/** Passes each tensor of the state to `add`; with `decoded`, small slots as float32. */
export function writeOptimizer(
  optimizer: Optimizer,
  position: number,
  add: (name: string, entry: Entry) => string,
  decoded: boolean,
): Written {
  const saved = decoded ? inFloat32(optimizer.stateDict()) : optimizer.stateDict();
  const { rule, groups, state } = saved;
  const paramGroups: Record<string, unknown> = {};
  const optionsOf = new Map<string, Options>();
  for (const { params, options } of groups)
    for (const name of params) {
      optionsOf.set(name, options);
      for (const [option, value] of groupEntries(rule, options)) paramGroups[groupKey(name, option)] = value;
    }

  for (const [name, { step, scalars }] of Object.entries(state)) {
    const options = optionsOf.get(name) ?? {};
    const form = torchForm(rule, options);
    const numbers = { ...(form?.stepless ? {} : { step }), ...scalars };
    for (const [scalar, value] of Object.entries(numbers)) add(stateName(name, scalar), float32(value));
  }

  const json = flatten(saved, `optimizers[${position}]`, [], (path, entry) => {
    const [part, name, slots, slot] = path;
    if (path.length !== 4 || part !== "state" || slots !== "slots")
      return add(`${RESERVED}optimizers.${position}.${path.join(".")}`, entry);
    const form = torchForm(rule, optionsOf.get(name) ?? {});
    const { step, shape } = state[name];
    const place = readsAsStepped(form, optionsOf.get(name), step)
      ? `${RESERVED}${stateName(name, slot)}`
      : stateName(name, slot);
    return add(place, { ...entry, shape: slotShape(slot, shape, entry.shape[0]) });
  });
  return { json, paramGroups };
}

function inFloat32(saved: OptimizerState): OptimizerState {
  const state = Object.entries(saved.state).map(([name, { slots, ...rest }]) => {
    const floats = Object.entries(slots).map(([slot, v]) => [slot, "format" in v ? toFloat32(v) : v]);
    return [name, { ...rest, slots: Object.fromEntries(floats) as Record<string, Vector> }];
  });
  return { ...saved, state: Object.fromEntries(state) as OptimizerState["state"] };
}

const stateName = (tensor: string, part: string): string => stateKey(tensor, snakeCase(part));

/** PyTorch's SGD dampens any tensor with a buffer; before the first step it must not find one, so ours has another name. */
const readsAsStepped = (form: TorchForm | undefined, options: Options | undefined, step: number): boolean =>
  form?.stepless === true && step === 0 && Number(options?.dampening ?? 0) !== 0;

/** A group's options under PyTorch's names, with PyTorch's further entries; ours where PyTorch has no such rule. */
function groupEntries(rule: string, options: OptimizerState["groups"][number]["options"]): [string, unknown][] {
  const form = torchForm(rule, options);
  const { dialect, ...rest } = options;
  const entries = Object.entries(rest)
    .filter(([option]) => !Object.hasOwn(form?.ours ?? {}, option))
    .map(([option, value]): [string, unknown] => [
      optionName(form, option),
      form?.none?.[option] === value && value !== undefined ? null : value,
    ]);
  return form ? [...entries, ...Object.entries(form.constants)] : [...entries, ["dialect", dialect]];
}
