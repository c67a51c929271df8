// Saves and loads state, into the optimizer itself and into a copy at other addresses.
import fc from "fast-check";
import { expect } from "vitest";
import { load, save } from "../../../src/checkpoint/index.js";
import type { OptimizerState } from "../../../src/index.js";
import type { Options } from "../../rules/table.js";
import type { PlainTensor } from "../plain.js";
import { type LiveOptimizer, type LiveTensor, type World, applied, moved, pick } from "../world.js";
import { command, which, without } from "./command.js";
import { makeOptimizer } from "./make.js";
import { makeDict } from "./tensors.js";

export const tensorsOf = ({ plain }: LiveOptimizer): LiveTensor[] =>
  plain.members.map(({ tensor }) => tensor as LiveTensor);
export const byName = (tensors: readonly PlainTensor[]): Map<string, PlainTensor> =>
  new Map(tensors.map((t) => [t.name, t]));

export const keep = command(3, which, (world, at) => {
  const optimizer = pick(world.optimizers, at);
  const made =
    optimizer && world.call(() => optimizer.real.stateDict(), { refusal: applied(world, optimizer.plain.tensors) });
  if (!made) return;
  const plain = optimizer.plain.copy(byName(tensorsOf(optimizer)));
  world.saved.push({ optimizer, dict: made.value, plain });
});

export const goBack = command(3, fc.record({ at: which, cloned: fc.boolean() }), (world, { at, cloned }) => {
  const saved = pick(world.saved, at);
  if (!saved) return;
  const { optimizer, dict, plain } = saved;
  const fits = plain.groups.length === optimizer.plain.groups.length;
  const stale = fits ? undefined : /"saved\.groups" expected \d+ groups?/;
  const refusal = applied(world, optimizer.plain.tensors) ?? stale;
  if (!world.call(() => optimizer.real.loadStateDict(cloned ? structuredClone(dict) : dict), { refusal })) return;
  optimizer.plain.restore(plain, byName(tensorsOf(optimizer)));
  optimizer.plain.gradNorm = optimizer.real.gradNorm;
});

/** Step counts that differ from tensor to tensor, near those at which denormals are flushed. */
export const wind = command(
  2,
  fc.record({ at: which, steps: fc.array(fc.constantFrom(0, 1, 2, 254, 255, 1000), { minLength: 1, maxLength: 4 }) }),
  (world, { at, steps }) => {
    const optimizer = pick(world.optimizers, at);
    if (!optimizer || applied(world, optimizer.plain.tensors)) return;
    const { real, plain } = optimizer;
    const dict = structuredClone(real.stateDict());
    plain.members.forEach(({ tensor: { name } }, i) => Object.assign(dict.state[name], { step: pick(steps, i) }));
    world.call(() => real.loadStateDict(dict));
    plain.members.forEach((member, i) => (member.t = pick(steps, i)!));
  },
);

/** A twin of the optimizer on tensors of its own, in any order of address, which goes on beside it from now on. */
export const twin = command(
  3,
  fc.record({ at: which, way: fc.constantFrom("object", "clone", "file"), backwards: fc.boolean() }),
  (world, { at, way, backwards }) => {
    const optimizer = pick(world.optimizers, at);
    if (!optimizer || world.optimizers.length > 4 || applied(world, optimizer.plain.tensors)) return;
    const { plain } = optimizer;
    const tensors = tensorsOf(optimizer);
    if (backwards) tensors.reverse();
    const dict = makeDict(world, Object.fromEntries(tensors.map(({ name, shape }) => [name, shape])));
    if (!dict) return;
    const { format: stateFormat, nonFinite } = plain;
    const optionsOf = (g: number): Options => without(plain.groups[g].made, "dialect");
    const groups = plain.groups.slice(1).map((_, g) => ({
      params: plain.members.flatMap(({ tensor, group }) => (group === g + 1 ? [tensor.name] : [])),
      options: optionsOf(g + 1),
    }));
    const { dialect } = plain.groups[0].made;
    const given = { ...optionsOf(0), stateFormat, nonFinite, ...(dialect !== "torch" && { dialect }) };
    const other = makeOptimizer(world, dict, plain.row, given, groups);
    if (!other) return;
    transfer[way](world, optimizer, other, dict);
    for (const tensor of dict.tensors) tensor.p.set(tensors.find(({ name }) => name === tensor.name)!.p);
    other.plain.restore(plain, byName(dict.tensors));
  },
);

/** The parameters alone, as a file: also while an average stands in their place. */
export const exportAlone = command(2, which, (world, at) => {
  const dict = pick(world.dicts, at);
  if (!dict) return;
  const refusal = moved(world, dict.tensors);
  const bytes = world.call(() => save(dict.real, { metadata: { at: String(at) } }), { refusal })?.value;
  if (!bytes) return;
  const shapes = Object.fromEntries(dict.tensors.map(({ name, shape }) => [name, shape]));
  const other = makeDict(world, shapes);
  if (!other) return;
  expect(world.call(() => load(bytes, other.real))!.value.metadata).toEqual({ at: String(at) });
  other.tensors.forEach(({ p }, i) => p.set(dict.tensors[i].p));
});

type Dict = NonNullable<ReturnType<typeof makeDict>>;
const transfer: Record<string, (world: World, from: LiveOptimizer, to: LiveOptimizer, dict: Dict) => void> = {
  object: (world, from, to, dict) => transferState(world, from, to, dict, (state) => state),
  clone: (world, from, to, dict) => transferState(world, from, to, dict, structuredClone),
  file(world, from, to, dict) {
    const [first] = tensorsOf(from);
    const source = first.dict;
    const names = new Set(source.tensors.map(({ name }) => name));
    if (tensorsOf(from).some((tensor) => tensor.dict !== source && names.has(tensor.name))) {
      transfer.clone(world, from, to, dict); // a file holds each name once
      return;
    }
    const refusal = applied(world, source.tensors); // those that are not the optimizer's would be saved, too
    const made = world.call(() => save(source.real, { optimizers: [from.real] }), { refusal });
    const strangers = source.tensors.some(({ name }) => !dict.tensors.some((tensor) => tensor.name === name));
    if (!made || strangers) {
      transfer.clone(world, from, to, dict); // there is no file, or it has tensors that the twin has not
      return;
    }
    world.call(() => load(made.value, dict.real, { optimizers: [to.real] }));
  },
};

function transferState(
  world: World,
  from: LiveOptimizer,
  to: LiveOptimizer,
  { real }: Dict,
  way: (state: OptimizerState) => OptimizerState,
): void {
  const state = world.call(() => from.real.stateDict())!.value;
  world.call(() => real.assign(Object.fromEntries(tensorsOf(from).map(({ name, data }) => [name, data]))));
  world.call(() => to.real.loadStateDict(way(state)));
}
