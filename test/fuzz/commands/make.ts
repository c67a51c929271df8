// Creates optimizers with groups, extends them and disposes of them.
import fc from "fast-check";
import { expect } from "vitest";
import { ParameterDict } from "../../../src/index.js";
import { slotNames } from "../../support/harness.js";
import type { Settled } from "../../support/reference/common.js";
import { type Options, type Row, make, reduces, rows } from "../../rules/table.js";
import { PlainOptimizer } from "../plain.js";
import { type LiveOptimizer, type LiveTensor, type World, pick } from "../world.js";
import { command, oneOf, which, without } from "./command.js";

/** Which rule, in which variant, and what is added to it. */
const rule = fc.nat(rows.length - 1).chain((r) =>
  fc.record({
    row: fc.constant(r),
    variant: fc.nat(rows[r].variants.length - 1),
    more: fc.record({ weightDecay: fc.constantFrom(0, 0.05), maximize: fc.boolean() }, { requiredKeys: [] }),
    nonFinite: oneOf("propagate" as const, "skip" as const, "throw" as const),
    stateFormat: oneOf("float32" as const, "bfloat16" as const, "8bit" as const),
  }),
);
const overrides: Options[] = [{}, { weightDecay: 0.1 }, { lr: 0.07 }, { weightDecay: 0, maximize: true }, { lr: 0 }];
const override = fc.nat(overrides.length - 1);

const known = new Map<string, Options>();
/** The options of a rule in a dialect before any is given. */
function defaultsOf(row: Row, { dialect, lr }: Options): Options {
  const key = `${row.rule} ${String(dialect)} ${String(lr)}`;
  if (!known.has(key)) {
    const params = new ParameterDict({ x: row.rule === "Muon" ? [1, 1] : [1] });
    const made = make(row.rule, params, { lr, ...(dialect === undefined ? {} : { dialect }) });
    known.set(key, without(made.paramGroups[0], "params"));
    params.arena.dispose();
  }
  return known.get(key)!;
}

/** Whether the rule takes a tensor of this shape. */
const takes = ({ rule }: Row, tensors: readonly LiveTensor[]): boolean =>
  rule !== "Muon" || tensors.every(({ shape }) => shape.length === 2);

/** What a group gets of a rule that cannot have groups of different rates, and of any other. */
const fit = (row: Row, given: Options): Options => (row.together ? without(given, "lr", "maximize") : given);

/** Tells the model of an optimizer's tensors, which have just come in a call. */
function adopt(
  world: World,
  { real, plain }: LiveOptimizer,
  tensors: readonly LiveTensor[],
  groupOf: (name: string) => number,
): void {
  const owner = world.optimizers.find((optimizer) => optimizer.plain === plain);
  for (const tensor of [...tensors].sort((a, b) => a.data.byteOffset - b.data.byteOffset)) {
    const state = real.state(tensor.name);
    const slots = slotNames(real, tensor.name).map((slot) => [slot, (state[slot] as Float32Array).length]);
    plain.addMember(tensor, groupOf(tensor.name), Object.fromEntries(slots) as Record<string, number>);
    tensor.owner = owner;
  }
}

interface Formats {
  readonly stateFormat?: PlainOptimizer["format"];
  readonly nonFinite?: PlainOptimizer["nonFinite"];
}

/** Makes an optimizer whose groups have these options: the first those of the tensors that no other has. */
export function makeOptimizer(
  world: World,
  params: { readonly real: ParameterDict; readonly tensors: readonly LiveTensor[] },
  row: Row,
  given: Options,
  groups: readonly { readonly params: readonly string[]; readonly options: Options }[],
): LiveOptimizer | undefined {
  const { stateFormat = "float32", nonFinite = "propagate" } = given as Formats;
  const charge = { bytes: 0 };
  const owned = params.tensors.some(({ owner }) => owner);
  const whole = reduces(row, given);
  let refusal: RegExp | undefined;
  if (owned) refusal = /belongs to a live|expected/;
  else if (whole && stateFormat !== "float32") refusal = /"stateFormat" expected "float32"/;
  else if (!takes(row, params.tensors)) refusal = /expected/;
  const options = { ...given, groups: groups.map((group) => ({ params: group.params, ...group.options })) };
  const made = world.call(() => make(row.rule, params.real, options), { refusal, to: charge });
  if (!made) return undefined;
  const plain = new PlainOptimizer(row, stateFormat, nonFinite);
  const base = { ...defaultsOf(row, given), ...without(given, "nonFinite", "stateFormat") };
  plain.addGroup(base as unknown as Settled);
  for (const group of groups) plain.addGroup({ ...base, ...group.options } as unknown as Settled);
  const optimizer: LiveOptimizer = { real: made.value, plain, views: new Map(), bytes: charge.bytes };
  world.optimizers.push(optimizer);
  const place = (name: string): number => groups.findIndex((group) => group.params.includes(name)) + 1;
  adopt(world, optimizer, params.tensors, place);
  expect(made.value.paramGroups[0].params).toEqual(
    params.tensors.map(({ name }) => name).filter((n) => place(n) === 0),
  );
  return optimizer;
}

export const construct = command(
  6,
  fc.record({
    at: which,
    rule,
    groups: fc.array(override, { maxLength: 3 }),
    split: fc.array(fc.nat(3), { minLength: 5, maxLength: 5 }),
  }),
  (world, { at, rule, groups, split }) => {
    const dict = pick(world.dicts, at);
    if (!dict) return;
    const row = rows[rule.row];
    const { more, nonFinite, stateFormat } = rule;
    const names = dict.tensors.map(({ name }) => name);
    makeOptimizer(
      world,
      dict,
      row,
      { ...row.variants[rule.variant], ...more, nonFinite, stateFormat },
      groups.map((n, g) => ({
        params: names.filter((_, i) => split[i] === g + 1),
        options: fit(row, overrides[n]),
      })),
    );
  },
);

export const addGroup = command(2, fc.record({ at: which, to: which, override }), (world, given) => {
  const optimizer = pick(world.optimizers, given.to);
  const dict = pick(world.dicts, given.at);
  if (!dict || !optimizer) return;
  const { real, plain } = optimizer;
  const options = fit(plain.row, overrides[given.override]);
  const names = plain.members.map(({ tensor }) => tensor.name);
  const fits = takes(plain.row, dict.tensors) && !dict.tensors.some(({ owner, name }) => owner ?? names.includes(name));
  const refusal = fits ? undefined : /belongs to a live|expected/;
  const group = { params: dict.real, ...options };
  if (!world.call(() => real.addParamGroup(group), { refusal, to: optimizer })) return;
  plain.addGroup({ ...plain.groups[0].options, ...options });
  adopt(world, optimizer, dict.tensors, () => plain.groups.length - 1);
  expect(real.paramGroups.at(-1)!.params).toEqual(dict.tensors.map(({ name }) => name));
});

export const disposeOptimizer = command(2, which, (world, at) => {
  const optimizer = pick(world.optimizers, at);
  if (optimizer) endOptimizer(world, optimizer);
});

/** Disposes of an optimizer and of what is around it. */
export function endOptimizer(world: World, optimizer: LiveOptimizer): void {
  const { real, plain } = optimizer;
  for (const lookahead of world.lookaheads.filter((l) => l.optimizer === optimizer))
    world.end(
      lookahead,
      world.lookaheads,
      () => lookahead.real.step(),
      () => lookahead.real.stateDict(),
    );
  for (const list of [world.schedules, world.saved])
    for (let i = list.length - 1; i >= 0; i--) if (list[i].optimizer === optimizer) list.splice(i, 1);
  const [member] = plain.members;
  world.end(
    optimizer,
    world.optimizers,
    () => real.step(),
    () => real.stateDict(),
    () => real.state(member.tensor.name),
    () => real.paramGroups,
    () => real.zeroGrad(),
    () => real.eval(),
  );
  for (const { tensor } of plain.members) (tensor as LiveTensor).owner = undefined;
}
