// Saving an optimizer's state as a plain object, and loading it.
import { type SmallSlot, copyOf, setSlot, viewOf } from "./small-formats.js";
import type { Arena } from "../memory/arena.js";
import { anyNumber, counted, flag, record, whole, wrongType, wrongValue } from "../util/check.js";
import { RESTORED, groupOptions, readInitialLr } from "../optimizer/groups.js";
import type { Shape, Vector } from "../memory/tensor.js";
import type { CommonOptions, Group, Rule, Settled } from "../optimizer/rule.js";
import { checkShape, onlyFields, readEach, readSaved, readSlot, same } from "./validation.js";
import type { Slots } from "../optimizer/slots.js";
import { ABSENT, type Table, stepsOf } from "../step/tensor-table.js";

/** What `stateDict()` of an optimizer returns: owned and structured-cloneable. */
export interface OptimizerState {
  /** A load refuses any other. */
  readonly format: "gradstep/optimizer";
  /** The version of this format; a load refuses any other. */
  readonly version: 1;
  /** The class's name. */
  readonly rule: string;
  /** Whether the parameters were those for evaluation, after `eval()` of a schedule-free rule. */
  readonly evaluating: boolean;
  /** The groups in order. */
  readonly groups: readonly {
    /** Names of the group's tensors, in order. */
    readonly params: readonly string[];
    /** The rule's options, defaults included, `dialect`, and `initialLr` if there is one; a load restores them. */
    readonly options: Readonly<Record<string, unknown>>;
    /** Numbers by name that the group's tensors share, such as Prodigy's `d`; most rules have none. */
    readonly shared: Readonly<Record<string, number>>;
  }[];
  /** The state of each tensor by name. */
  readonly state: Readonly<Record<string, TensorStateDict>>;
}

/** A tensor's part of {@link OptimizerState}. */
export interface TensorStateDict {
  /** Number of steps that updated the tensor, a whole number >= 0. */
  readonly step: number;
  /** The tensor's shape, which a load compares. */
  readonly shape: Shape;
  /** State buffers under PyTorch's names in camel case, row-major, in the optimizer's state format: owned copies. */
  readonly slots: Readonly<Record<string, Vector | SmallSlot>>;
  /** The tensor's own numbers by name, such as NAdam's `muProduct`; most rules have none. */
  readonly scalars: Readonly<Record<string, number>>;
}

/** The parts of an optimizer that saving and loading use. */
export interface Internals<Options extends CommonOptions> {
  readonly rule: Rule<Options>;
  readonly table: Table;
  readonly groups: readonly Group<Options>[];
  readonly arena: Arena;
  readonly evaluating: boolean;
  readonly slots: Slots<Options>;
  readonly scalarNames: readonly string[];
  readonly sharedNames: readonly string[];
}

const FORMAT = "gradstep/optimizer";
const VERSION = 1;

export function save<Options extends CommonOptions>(internals: Internals<Options>): OptimizerState {
  const { rule, table, groups, evaluating, scalarNames, sharedNames } = internals;
  return {
    format: FORMAT,
    version: VERSION,
    rule: rule.name,
    evaluating,
    groups: groups.map(({ options, view, shared }) => ({
      params: [...view.params],
      options: Object.fromEntries(
        [...Object.keys(rule.kinds), "dialect", ...(options.initialLr === undefined ? [] : ["initialLr"])].map(
          (name) => {
            const value = options[name as keyof typeof options] as unknown;
            return [name, Array.isArray(value) ? [...(value as unknown[])] : value];
          },
        ),
      ),
      shared: Object.fromEntries(sharedNames.map((name, k) => [name, shared[k]])),
    })),
    state: Object.fromEntries(
      table.tensors.map((tensor, i) => [
        tensor.name,
        {
          step: stepsOf(table, i),
          shape: [...tensor.shape],
          slots: Object.fromEntries(
            slotsOf(internals, i).map(([name, k]) => [name, copyOf(viewOf(internals.arena, table, i, k))]),
          ),
          scalars: Object.fromEntries(scalarNames.map((name, k) => [name, table.scalars[k][i]])),
        },
      ]),
    ),
  };
}

/** The slots that tensor i has, with their columns in the table. */
function slotsOf<Options extends CommonOptions>(
  { table, slots: { names } }: Internals<Options>,
  i: number,
): [name: string, column: number][] {
  return names.flatMap((name, k): [string, number][] => (table.slots[k][i] === ABSENT ? [] : [[name, k]]));
}

/** Checks a saved state and returns a function that writes it, which returns whether the optimizer then evaluates. */
export function prepareLoad<Options extends CommonOptions>(
  internals: Internals<Options>,
  given: unknown,
): () => boolean {
  const { rule, table, groups, scalarNames, sharedNames } = internals;
  const owner = rule.name;
  const saved = readSaved(owner, given, { format: FORMAT, version: VERSION, rule: owner });
  const evaluating = flag.read(owner, "saved.evaluating", saved.evaluating);
  if (evaluating && !rule.evaluate) throw wrongValue(owner, "saved.evaluating", "false for this rule", evaluating);

  if (!Array.isArray(saved.groups)) throw wrongType(owner, "saved.groups", "an array of groups", saved.groups);
  if (saved.groups.length !== groups.length)
    throw wrongValue(owner, "saved.groups", `${counted(groups.length, "group")}, as the optimizer has`, saved.groups);
  const loadedGroups = groups.map((group, g) => {
    const prefix = `saved.groups[${g}]`;
    const item = record(owner, prefix, (saved.groups as unknown[])[g]);
    checkNames(owner, `${prefix}.params`, item.params, group.view.params);
    const options = readOptions(rule, `${prefix}.options`, group, item.options);
    return { options, shared: readNumbers(owner, `${prefix}.shared`, item.shared, sharedNames) };
  });

  const loadedTensors = readEach(owner, "saved.state", saved.state, table.tensors, (tensor, item, prefix, i) => {
    checkShape(owner, `${prefix}.shape`, item.shape, tensor.shape);
    const step = whole.read(owner, `${prefix}.step`, item.step);
    const scalars = record(owner, `${prefix}.scalars`, item.scalars);
    const { options } = loadedGroups[table.group[i]];
    const numbers = rule.derive?.(options, step, scalars) ?? scalars;
    return {
      step,
      slots: readSlots(internals, `${prefix}.slots`, item.slots, i, options),
      scalars: readNumbers(owner, `${prefix}.scalars`, numbers, scalarNames),
    };
  });

  return () => {
    loadedGroups.forEach(({ options, shared }, g) => {
      Object.assign(groups[g].options, options);
      groups[g].shared.set(shared);
    });
    table.together[0] = 0;
    loadedTensors.forEach(({ step, slots, scalars }, i) => {
      table.step[i] = step;
      for (const [k, values] of slots) setSlot(internals.arena, table, i, k, values, internals.slots.converter);
      scalars.forEach((value, k) => (table.scalars[k][i] = value));
    });
    return evaluating;
  };
}

function checkNames(owner: string, name: string, value: unknown, expected: readonly string[]): void {
  if (!Array.isArray(value)) throw wrongType(owner, name, "an array of tensor names", value);
  const names = new Set(value as unknown[]);
  const missing = expected.find((tensor) => !names.has(tensor));
  if (missing !== undefined || value.length !== expected.length)
    throw wrongValue(
      owner,
      name,
      `the group's ${counted(expected.length, "tensor")}${missing === undefined ? "" : ` ("${missing}" is missing)`}`,
      value,
    );
}

/** A group's options: all must be there and valid, and those that cannot change must be as the optimizer has them. */
function readOptions<Options extends CommonOptions>(
  rule: Rule<Options>,
  prefix: string,
  group: Group<Options>,
  value: unknown,
): Settled<Options> {
  const given = record(rule.name, prefix, value);
  const current = group.options as Readonly<Record<string, unknown>>;
  same(rule.name, `${prefix}.dialect`, given.dialect, group.options.dialect);
  for (const [name, kind] of Object.entries(rule.kinds) as [keyof Options & string, { live: boolean }][]) {
    if (given[name] === undefined && rule.later?.includes(name)) continue;
    if (given[name] === undefined) throw wrongType(rule.name, `${prefix}.${name}`, "a value", undefined);
    if (!kind.live && given[name] !== current[name])
      throw wrongValue(
        rule.name,
        `${prefix}.${name}`,
        `${JSON.stringify(current[name])}, as the optimizer has`,
        given[name],
      );
  }
  const options = groupOptions(
    rule,
    `${prefix}.`,
    { ...group.options, ...rule.defaults[group.options.dialect] },
    given,
  );
  const initialLr = readInitialLr(rule, `${prefix}.`, given.initialLr);
  return { ...options, initialLr, [RESTORED]: initialLr !== undefined };
}

function readNumbers(owner: string, prefix: string, value: unknown, names: readonly string[]): number[] {
  const given = record(owner, prefix, value);
  onlyFields(owner, prefix, given, names);
  return names.map((name) => anyNumber.read(owner, `${prefix}.${name}`, given[name]));
}

function readSlots<Options extends CommonOptions>(
  internals: Internals<Options>,
  prefix: string,
  value: unknown,
  i: number,
  loaded: Settled<Options>,
): [column: number, values: Vector | SmallSlot][] {
  const { rule, table, groups } = internals;
  const owner = rule.name;
  const slots = slotsOf(internals, i);
  const given = record(owner, prefix, value);
  const names = slots.map(([name]) => name);
  const g = table.group[i];
  const needed = rule.slots({ ...groups[g].options, ...loaded }, table.tensors[i]);
  for (const name of internals.slots.names) {
    if (names.includes(name) !== Object.hasOwn(given, name)) blameOption(internals, i, name, loaded);
    if (needed[name] !== undefined && !names.includes(name))
      throw wrongValue(
        owner,
        `saved.groups[${g}].options`,
        `options that need no "${name}", for which no room was made`,
        loaded,
      );
  }
  onlyFields(owner, prefix, given, names);
  return slots.map(([name, k]) => [k, readSlot(owner, `${prefix}.${name}`, given[name], table.slotSizes[k][i])]);
}

/** Throws for a saved option that differs from the optimizer's so that only one of the two has the slot. */
function blameOption<Options extends CommonOptions>(
  { rule, table, groups }: Internals<Options>,
  i: number,
  slot: string,
  loaded: object,
): void {
  const g = table.group[i];
  const own = groups[g].options as Settled<Options> & Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(loaded)) {
    const has = (options: Settled<Options>): boolean => rule.slots(options, table.tensors[i])[slot] !== undefined;
    if (has(own) === has({ ...own, [name]: value as unknown })) continue;
    throw new RangeError(
      `${rule.name}: "saved.groups[${g}].options.${name}" is ${JSON.stringify(value)}, the optimizer's is ` +
        `${JSON.stringify(own[name])}, and only one of them has a "${slot}": make the optimizer with { ${name}: ${JSON.stringify(value)} }`,
    );
  }
}
