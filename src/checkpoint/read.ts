// A state dict for an optimizer from the flattened names of a file that PyTorch wrote.
import type { Optimizer } from "../base.js";
import { wrongValue } from "../check.js";
import type { OptimizerState, TensorStateDict } from "../state.js";
import { elementsOf } from "../format.js";
import type { Shape, Vector } from "../parameters.js";
import type { CommonOptions, Settled } from "../rule.js";
import { type Contents, type Entry, damaged } from "./safetensors.js";
import { type Options, formOf, howOnly, later, optionName, slotShape } from "./torch.js";
import { stateName } from "./write.js";

type Group = OptimizerState["groups"][number];

/** The bytes of a tensor that must be float32 and have this shape. */
export function expectFloat32({ tensors }: Contents, name: string, shape: Shape): Uint8Array {
  const entry = tensors.get(name);
  if (entry === undefined) throw damaged(`has no tensor "${name}"`);
  const [expected, found] = [show("F32", shape), show(entry.dtype, entry.shape)];
  if (expected !== found) throw wrongValue("load", name, expected, found);
  return entry.bytes;
}

const show = (dtype: Entry["dtype"], shape: Shape): string => `${dtype} [${shape.join(", ")}]`;

const vector = (bytes: Uint8Array): Vector => new Float32Array(bytes.slice().buffer);

/** Reads one optimizer's state; the names of the tensors that it is made of go to `used`. */
export function readFromTorch(
  optimizer: Optimizer,
  contents: Contents,
  paramGroups: Options,
  used: Set<string>,
): OptimizerState {
  const own = optimizer.stateDict();
  const { rule } = own;
  const foreign = (option: string, expected: string, value: unknown): RangeError =>
    wrongValue(rule, option, `${expected} for a file that gradstep did not write`, value);
  if (own.groups.some(({ shared }) => Object.keys(shared).length > 0))
    throw foreign("optimizers", "a rule without numbers that a group has in common", rule);
  for (const { options } of own.groups)
    if (options.dialect !== "torch") throw foreign("dialect", '"torch"', options.dialect);

  const groups = own.groups.map((group) => readGroup(rule, group, paramGroups));
  const state = groups.flatMap(({ params, options }) =>
    params.map((name): [string, TensorStateDict] => {
      return [name, readTensor(optimizer, name, own.state[name], options, rule, contents, used)];
    }),
  );
  return { ...own, evaluating: false, groups, state: Object.fromEntries(state) };
}

/** A group's options from the file, which must agree for all its tensors. A group without tensors keeps its own. */
function readGroup(rule: string, { params, options, shared }: Group, paramGroups: Options): Group {
  const form = formOf(rule);
  const { dialect, ...names } = options;
  const read: Record<string, unknown> = {};
  params.forEach((name, i) => {
    const entry = (option: string): unknown => {
      const key = `param_groups.${name}.${option}`;
      return Object.hasOwn(paramGroups, key) ? paramGroups[key] : undefined;
    };
    for (const [constant, value] of Object.entries(form?.constants ?? {})) {
      const found = entry(constant);
      if (found !== undefined && !howOnly.has(constant) && !equal(found, value))
        throw wrongValue("load", `param_groups.${name}.${constant}`, `${JSON.stringify(value)} for ${rule}`, found);
    }
    for (const option of Object.keys(names)) {
      if (form?.ours && Object.hasOwn(form.ours, option)) {
        read[option] = form.ours[option];
        continue;
      }
      const theirs = optionName(form, option);
      const found = entry(theirs) === null ? (form?.none?.[option] ?? null) : entry(theirs);
      const value = found === undefined ? later[option] : found;
      if (value === undefined) throw damaged(`has no "param_groups.${name}.${theirs}", an option of ${rule}`);
      if (i > 0 && !equal(value, read[option]))
        throw wrongValue(
          "load",
          `param_groups.${name}.${theirs}`,
          `${JSON.stringify(read[option])}, as "${params[0]}" has in the same group of this optimizer`,
          value,
        );
      read[option] = value;
    }
  });
  return { params, shared, options: params.length === 0 ? options : { ...read, dialect } };
}

const equal = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** A tensor's state; one that has none has not stepped. */
function readTensor(
  optimizer: Optimizer,
  name: string,
  own: TensorStateDict,
  options: Options,
  rule: string,
  contents: Contents,
  used: Set<string>,
): TensorStateDict {
  const form = formOf(rule);
  const { shape, slots, scalars } = own;
  const numbers = [...(form?.stepless ? [] : ["step"]), ...Object.keys(scalars)];
  const names = [...Object.keys(slots), ...numbers].map((part) => stateName(name, part));
  for (const part of names) used.add(part);
  if (!names.some((part) => contents.tensors.has(part))) return startOf(optimizer, name, own, options);

  const numberOf = (part: string): number => vector(expectFloat32(contents, stateName(name, part), []))[0];
  return {
    step: form?.stepless ? 1 : numberOf("step"),
    shape,
    scalars: Object.fromEntries(Object.keys(scalars).map((scalar) => [scalar, numberOf(scalar)])),
    slots: Object.fromEntries(
      Object.entries(slots).map(([slot, values]) => [
        slot,
        vector(expectFloat32(contents, stateName(name, slot), slotShape(slot, shape, elementsOf(values)))),
      ]),
    ),
  };
}

/** A tensor's state before its first step, under these options of its group. */
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
