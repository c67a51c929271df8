// Makes an optimizer's state dict from the flattened names of a file that PyTorch wrote.
import type { Optimizer } from "../optimizer/optimizer.js";
import { wrongValue } from "../util/check.js";
import type { OptimizerState, TensorStateDict } from "../state/state-dict.js";
import { elementsOf } from "../state/small-formats.js";
import type { CommonOptions, Settled } from "../optimizer/rule.js";
import { toFloat32, toNumber } from "./convert-dtypes.js";
import { quote } from "./json.js";
import { type Foreign, groupKey, stateKey } from "./tensor-names.js";
import { type Entry, damageOf } from "./safetensors.js";
import { type Options, changesNothing, formOf, later, optionName, slotShape, snakeCase } from "./torch-forms.js";

type Group = OptimizerState["groups"][number];

/** A file, and what has been read from it. */
export interface TorchFile extends Foreign {
  /** Whether missing state or options are errors; otherwise the optimizer's own are kept. */
  readonly strict: boolean;
  /** Names of tensors that an optimizer uses. */
  readonly used: Set<string>;
  /** Entries of `param_groups` for which an optimizer has an option. */
  readonly usedEntries: Set<string>;
  /** Missing parts of a tensor's state of which the file has other parts. */
  readonly missing: string[];
}

const damaged = damageOf("load");

/** Reads one optimizer's state. */
export function readFromTorch(optimizer: Optimizer, file: TorchFile): OptimizerState {
  const own = optimizer.stateDict();
  const { rule } = own;
  const foreign = (option: string, expected: string, value: unknown): RangeError =>
    wrongValue(rule, option, `${expected} for a file that gradstep did not write`, value);
  if (own.groups.some(({ shared }) => Object.keys(shared).length > 0))
    throw foreign("optimizers", "a rule without numbers that a group has in common", rule);
  for (const { options } of own.groups)
    if (options.dialect !== "torch") throw foreign("dialect", '"torch"', options.dialect);

  const groups = own.groups.map((group) => readGroup(rule, group, file));
  const state = groups.flatMap(({ params, options }) =>
    params.map((name): [string, TensorStateDict] => [
      name,
      readTensor(optimizer, name, own.state[name], options, rule, file),
    ]),
  );
  return { ...own, evaluating: false, groups, state: Object.fromEntries(state) };
}

/** A group's options from the file, which must be equal for all its tensors. A group without tensors keeps its own. */
function readGroup(rule: string, { params, options, shared }: Group, file: TorchFile): Group {
  const form = formOf(rule);
  const { dialect, ...names } = options;
  const constants = { ...form?.constants, ...(form ? {} : { dialect }) };
  const read: Record<string, unknown> = {};
  let from: string | undefined;
  for (const name of params) {
    const entry = (option: string): unknown => {
      const key = groupKey(name, option);
      file.usedEntries.add(key);
      return file.groups.get(key);
    };
    for (const [constant, value] of Object.entries(constants)) {
      const found = entry(constant);
      if (found !== undefined && !changesNothing(constant) && !equal(found, value))
        throw wrongValue(
          "load",
          groupKey(name, constant),
          `${JSON.stringify(value)} for ${rule}${otherwise(constant, value)}`,
          found,
        );
    }
    for (const option of new Set([...Object.keys(names), "initialLr"])) {
      if (option === "cautious") continue; // changes no state: as the optimizer has it
      if (form?.ours && Object.hasOwn(form.ours, option)) {
        read[option] = form.ours[option];
        continue;
      }
      const theirs = optionName(form, option);
      const found = entry(theirs) === null ? (form?.none?.[option] ?? null) : entry(theirs);
      const value = found === undefined ? later[option] : found;
      if (value === undefined) {
        if (!file.strict) continue;
        if (option !== "initialLr") throw damaged(`has no ${quote(groupKey(name, theirs))}, an option of ${rule}`);
      }
      if (Object.hasOwn(read, option) && !equal(value, read[option]))
        throw wrongValue(
          "load",
          groupKey(name, theirs),
          `${JSON.stringify(read[option])}, as ${quote(from ?? "")} has in the same group of this optimizer`,
          value,
        );
      read[option] = value;
    }
    from ??= name;
  }
  return { params, shared, options: { ...options, ...read, dialect } };
}

/** Names the class with the other kind of decay. */
const otherwise = (constant: string, value: unknown): string =>
  constant === "decoupled_weight_decay" ? ` (else use ${value ? "Adam" : "AdamW"})` : "";

/** Whether two options are equal: numbers, strings or short lists of these. */
function equal(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** A tensor's state; a tensor without state has not been updated yet. */
function readTensor(
  optimizer: Optimizer,
  name: string,
  own: TensorStateDict,
  options: Options,
  rule: string,
  file: TorchFile,
): TensorStateDict {
  const form = formOf(rule);
  const { shape, slots, scalars } = own;
  const key = (part: string): string => stateKey(name, snakeCase(part));
  const numbers = [...(form?.stepless ? [] : ["step"]), ...Object.keys(scalars)];
  const keys = [...Object.keys(slots), ...numbers].map(key);
  for (const part of keys) file.used.add(part);
  if (!keys.some((part) => file.tensors.has(part))) {
    return file.strict || file.groups.has(groupKey(name, "lr")) ? startOf(optimizer, name, own, options) : own;
  }

  /** Reads a part of the state, or keeps the present value if the file lacks it. */
  const part = <T>(key: string, here: T, read: (entry: Entry) => T): T => {
    const entry = file.tensors.get(key);
    if (entry !== undefined) return read(entry);
    if (file.strict) throw damaged(`has no tensor ${quote(key)}`);
    file.missing.push(key);
    return here;
  };
  const number = (name: string, here: number): number => part(key(name), here, (entry) => toNumber(key(name), entry));
  const floats = (slot: string, here: Slot): Slot =>
    part(key(slot), here, (entry) => {
      const length = elementsOf(here);
      const vector = new Float32Array(length);
      toFloat32(key(slot), entry, slotShape(slot, shape, length))(vector);
      return vector;
    });
  return {
    step: form?.stepless ? 1 : number("step", own.step),
    shape,
    scalars: Object.fromEntries(Object.entries(scalars).map(([name, here]) => [name, number(name, here)])),
    slots: Object.fromEntries(Object.entries(slots).map(([slot, here]) => [slot, floats(slot, here)])),
  };
}

type Slot = TensorStateDict["slots"][string];

/** A tensor's state before its first step, with these options of its group. */
function startOf(
  { rule, table, indexOf }: Optimizer,
  name: string,
  { shape, slots }: TensorStateDict,
  options: Options,
): TensorStateDict {
  const starts = rule.slots(options as Settled<CommonOptions>, table.tensors[indexOf.get(name) ?? -1]);
  return {
    step: 0,
    shape,
    scalars: { ...rule.scalars },
    slots: Object.fromEntries(
      Object.entries(slots).map(([slot, values]) => [
        slot,
        new Float32Array(elementsOf(values)).fill(Number(starts[slot]?.start) || 0),
      ]),
    ),
  };
}
