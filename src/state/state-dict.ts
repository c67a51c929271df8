// Saving an optimizer's state as a plain object, and loading it.
import { type SmallSlot, copyOf, setSlot, viewOf } from "./small-formats.js";
import type { Arena } from "../memory/arena.js";
import { TENSOR_NAMES, anyNumber, array, counted, flag, record, show, whole, wrongValue } from "../util/check.js";
import { RESTORED, groupOptions, readInitialLr } from "../optimizer/groups.js";
import type { Shape, Vector } from "../memory/tensor.js";
import type { CommonOptions, Group, Rule, Settled } from "../optimizer/rule.js";
import { checkShape, fieldsOf, readEach, readSaved, readSlot, same } from "./validation.js";
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
  evaluating: boolean;
  readonly slots: Slots<Options>;
  readonly scalarNames: readonly string[];
  readonly sharedNames: readonly string[];
}

const FORMAT = "gradstep/optimizer";
const VERSION = 1;

export function save<Options extends CommonOptions>(internals: Internals<Options>): OptimizerState {
  const { rule, table, groups, arena, evaluating, slots, scalarNames, sharedNames } = internals;
  return {
    format: FORMAT,
    version: VERSION,
    rule: rule.name,
    evaluating,
    groups: groups.map(({ options: { params, initialLr, ...options }, shared }) => ({
      params: [...params],
      options: Object.fromEntries(
        // Spread first, the kinds give the order.
        Object.entries({ ...rule.kinds, ...options, ...(initialLr !== undefined && { initialLr }) }).map(
          ([name, value]) => [name, Array.isArray(value) ? [...(value as unknown[])] : value],
        ),
      ),
      shared: Object.fromEntries(sharedNames.map((name, k) => [name, shared[k]])),
    })),
    state: Object.fromEntries(
      table.tensors.map(({ name, shape }, i) => [
        name,
        {
          step: stepsOf(table, i),
          shape: [...shape],
          slots: Object.fromEntries(
            slots.of(table, i).map((k) => [slots.names[k], copyOf(viewOf(arena, table, i, k))]),
          ),
          scalars: Object.fromEntries(scalarNames.map((scalar, k) => [scalar, table.scalars[k][i]])),
        },
      ]),
    ),
  };
}

/** Checks a saved state and returns a function that writes it. */
export function prepareLoad<Options extends CommonOptions>(internals: Internals<Options>, given: unknown): () => void {
  const { rule, table, groups, arena, slots, scalarNames, sharedNames } = internals;
  const owner = rule.name;
  const saved = readSaved(owner, given, { format: FORMAT, version: VERSION, rule: owner });
  const evaluating = flag.read(owner, "saved.evaluating", saved.evaluating);
  if (evaluating && !rule.evaluate) throw wrongValue(owner, "saved.evaluating", "false for this rule", evaluating);

  const list = array(owner, "saved.groups", saved.groups, "an array of groups");
  if (list.length !== groups.length)
    throw wrongValue(owner, "saved.groups", `${counted(groups.length, "group")}, as the optimizer has`, list);
  const writes: (() => void)[] = [];
  const optionsOf = groups.map((group, g) => {
    const at = fieldsOf(owner, `saved.groups[${g}]`, list[g]);
    checkNames(...at("params"), group.options.params);
    const options = readOptions(rule, group, ...at("options"));
    const shared = readEach(...at("shared"), sharedNames, anyNumber);
    writes.push(() => {
      Object.assign(group.options, options);
      group.shared.set(shared);
    });
    return options;
  });

  const tensorNames = table.tensors.map(({ name }) => name);
  readEach(owner, "saved.state", saved.state, tensorNames, {
    read(_, prefix, value, i) {
      const at = fieldsOf(owner, prefix, value, "the tensor's state");
      checkShape(...at("shape"), table.tensors[i].shape);
      const step = whole.read(...at("step"));
      const given = record(...at("scalars"));
      const options = optionsOf[table.group[i]];
      refuseOtherSlots(internals, i, options, record(...at("slots")));
      const columns = slots.of(table, i);
      const slotNames = columns.map((k) => slots.names[k]);
      const loaded = readEach(...at("slots"), slotNames, {
        read: (_, option, slot, n) => readSlot(owner, option, slot, table.slotSizes[columns[n]][i]),
      });
      const derived = rule.derive?.(options, step, given) ?? given;
      const scalars = readEach(owner, `${prefix}.scalars`, derived, scalarNames, anyNumber);
      writes.push(() => {
        table.step[i] = step;
        columns.forEach((k, n) => setSlot(arena, table, i, k, loaded[n], slots.converter));
        scalars.forEach((scalar, k) => (table.scalars[k][i] = scalar));
      });
    },
  });

  return () => {
    table.together[0] = 0;
    for (const write of writes) write();
    internals.evaluating = evaluating;
  };
}

function checkNames(owner: string, option: string, value: unknown, expected: readonly string[]): void {
  const given = array(owner, option, value, TENSOR_NAMES);
  const names = new Set(given);
  const missing = expected.find((name) => !names.has(name));
  if (missing === undefined && given.length === expected.length) return;
  const hint = missing === undefined ? "" : ` ("${missing}" is missing)`;
  throw wrongValue(owner, option, `the group's ${counted(expected.length, "tensor")}${hint}`, value);
}

/** A group's options: all must be there and valid, and those that cannot change must be as the optimizer has them. */
function readOptions<Options extends CommonOptions>(
  rule: Rule<Options>,
  group: Group<Options>,
  owner: string,
  prefix: string,
  value: unknown,
): Settled<Options> {
  const at = fieldsOf(owner, prefix, value);
  const own = group.options as Settled<Options> & Readonly<Record<string, unknown>>;
  const { dialect } = own;
  const defaults = rule.defaults[dialect] as Readonly<Record<string, unknown>>;
  same(...at("dialect"), dialect);
  const later = Object.fromEntries((rule.later ?? []).map((name) => [name, defaults[name]]));
  const options = groupOptions(
    rule,
    `${prefix}.`,
    { dialect, ...later } as Settled<Options>,
    record(owner, prefix, value),
  );
  for (const [name, { live }] of Object.entries<{ live?: boolean | undefined }>(rule.kinds))
    if (!live) same(owner, `${prefix}.${name}`, options[name as keyof Options], own[name], ", as the optimizer has");
  const initialLr = readInitialLr(rule, ...at("initialLr"));
  return { ...options, initialLr, [RESTORED]: initialLr !== undefined };
}

/** Throws where the saved state of tensor i, or the loaded options of its group, needs a slot that the optimizer lacks, or lacks one. */
function refuseOtherSlots<Options extends CommonOptions>(
  { rule, table, groups, slots }: Internals<Options>,
  i: number,
  loaded: Settled<Options>,
  saved: object,
): void {
  const g = table.group[i];
  const has = (options: Settled<Options>, slot: string): boolean =>
    rule.slots(options, table.tensors[i])[slot] !== undefined;
  slots.names.forEach((slot, k) => {
    const isSaved = Object.hasOwn(saved, slot);
    if (table.slots[k][i] === ABSENT ? !isSaved && !has(loaded, slot) : isSaved) return;
    // Some option makes the difference.
    let options: Settled<Options> & Readonly<Record<string, unknown>> = groups[g].options;
    for (const [name, value] of Object.entries(loaded)) {
      const before = options;
      options = { ...options, [name]: value };
      if (has(options, slot) !== has(before, slot))
        throw new RangeError(
          `${rule.name}: "saved.groups[${g}].options.${name}" is ${show(value)}, the optimizer's is ` +
            `${show(before[name])}, and only one of them has a "${slot}": make the optimizer with { ${name}: ${show(value)} }`,
        );
    }
  });
}
