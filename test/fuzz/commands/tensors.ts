// Dictionaries of tensors: creating, splitting, writing, copying, clearing and disposing.
import fc from "fast-check";
import { expect } from "vitest";
import { ParameterDict } from "../../../src/index.js";
import { matrixOf } from "../../support/harness.js";
import { same } from "../invariants.js";
import { type LiveDict, type LiveTensor, type World, applied, numbers, pick } from "../world.js";
import { command, seed, which } from "./command.js";

const size = fc.oneof(
  { arbitrary: fc.nat(34), weight: 8 },
  { arbitrary: fc.constantFrom(63, 64, 65, 255, 257), weight: 3 },
  { arbitrary: fc.constantFrom(1003, 4096, 4099), weight: 1 },
);
type Form = "vector" | "matrix" | "any";
function shapeOf(n: number, form: Form): number[] {
  if (form === "matrix") return [...matrixOf(n)];
  return form === "vector" ? [n] : [[n], [...matrixOf(n)], [1, ...matrixOf(n)], n === 1 ? [] : [n, 1]][n % 4];
}

/** Tells the model of a dictionary that has been made. */
export function adoptDict(world: World, real: ParameterDict, bytes: number, whole?: LiveDict): LiveDict {
  const tensors: LiveTensor[] = [];
  const dict: LiveDict = { real, tensors, whole, bytes };
  for (const name of real.names) {
    const known = whole?.tensors.find((tensor) => tensor.name === name);
    const [data, grad] = [real.data[name], real.grad[name]];
    const own = {
      name,
      shape: real.shapes[name],
      p: data.slice(),
      g: grad.slice(),
      data,
      grad,
      dict,
      owner: undefined,
    };
    tensors.push(known ?? own);
  }
  world.dicts.push(dict);
  return dict;
}

/** Makes a dictionary, which begins with zeros unless values are given. */
export function makeDict(
  world: World,
  shapes: Readonly<Record<string, readonly number[]>>,
  values?: Readonly<Record<string, Float32Array>>,
): LiveDict | undefined {
  const charge = { bytes: 0 };
  const { arena } = world;
  const data = (name: string) => ({ shape: shapes[name], data: values?.[name] ?? [] });
  const made = world.call(
    () =>
      values
        ? ParameterDict.from(Object.fromEntries(Object.keys(shapes).map((name) => [name, data(name)])), { arena })
        : new ParameterDict(shapes, { arena }),
    { to: charge },
  );
  if (!made) return undefined;
  const dict = adoptDict(world, made.value, charge.bytes);
  for (const { name, p, g } of dict.tensors) {
    same(p, values?.[name] ?? new Float32Array(p.length), `the start of ${name}`);
    same(g, new Float32Array(g.length), `the start of the gradient of ${name}`);
  }
  return dict;
}

export const makeParams = command(
  4,
  fc.record({
    sizes: fc.array(size, { minLength: 1, maxLength: 5 }),
    form: fc.constantFrom<Form>("vector", "matrix", "any"),
    prefix: fc.constantFrom("a", "b", "c"),
    seed,
    from: fc.boolean(),
  }),
  (world, given) => {
    const shapes = Object.fromEntries(given.sizes.map((n, i) => [`${given.prefix}${i}`, shapeOf(n, given.form)]));
    const values = Object.fromEntries(
      given.sizes.map((n, i) => [`${given.prefix}${i}`, numbers(n, given.seed + i, "usual")]),
    );
    const dict = makeDict(world, shapes, given.from ? values : undefined);
    if (!dict || given.from) return;
    for (const { name, data, p } of dict.tensors) for (const to of [data, p]) to.set(values[name]);
  },
);

export const subset = command(
  2,
  fc.record({ at: which, names: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 4 }), twice: fc.nat(9) }),
  (world, given) => {
    const dict = pick(world.dicts, given.at);
    if (!dict || dict.tensors.length === 0) return;
    const names = [...new Set(given.names.map((n) => dict.tensors[n % dict.tensors.length].name))];
    if (given.twice === 0) {
      world.call(() => dict.real.subset([...names, names[0]]), { refusal: /expected each name once/ });
      return;
    }
    const made = world.call(() => dict.real.subset(names));
    if (made) adoptDict(world, made.value, 0, dict.whole ?? dict);
  },
);

export const write = command(
  3,
  fc.record({ at: which, seed, kind: fc.constantFrom("usual" as const, "zero", "huge"), how: fc.nat(2) }),
  (world, { at, seed, kind, how }) => {
    const dict = pick(world.dicts, at);
    if (!dict) return;
    const values = Object.fromEntries(dict.tensors.map(({ name, p }, i) => [name, numbers(p.length, seed + i, kind)]));
    const refusal = how > 0 ? applied(world, dict.tensors) : undefined;
    if (how === 0) for (const { name, data } of dict.tensors) data.set(values[name]);
    else if (how === 1) world.call(() => dict.real.assign(values), { refusal });
    else
      world.call(() => dict.real.assign(Object.fromEntries(Object.entries(values).map(([n, x]) => [n, [...x]]))), {
        refusal,
      });
    if (refusal) return;
    for (const { name, p } of dict.tensors) p.set(values[name]);
  },
);

export const copy = command(1, which, (world, at) => {
  const dict = pick(world.dicts, at);
  const copied = dict && world.call(() => dict.real.copy());
  if (!copied) return;
  for (const { name, p } of dict.tensors) {
    same(copied.value[name], p, `a copy of ${name}`);
    expect(copied.value[name].buffer.byteLength).toBe(4 * p.length);
    copied.value[name].fill(7);
  }
});

export const clear = command(1, which, (world, at) => {
  const dict = pick(world.dicts, at);
  if (!dict) return;
  world.call(() => dict.real.zeroGrad());
  for (const { g } of dict.tensors) g.fill(0);
});

export const disposeParams = command(2, which, (world, at) => {
  const dict = pick(world.dicts, at);
  if (dict) endDict(world, dict);
});

/** Disposes of a dictionary, or sees it refuse. */
export function endDict(world: World, dict: LiveDict): void {
  if (dict.whole) {
    world.end(dict, world.dicts);
    return;
  }
  if (dict.tensors.some(({ owner }) => owner)) {
    world.call(() => dict.real.dispose(), { refusal: /belongs to a live \w+; dispose that first/ });
    return;
  }
  const averages = world.averages.filter(({ tensors }) => tensors.some((tensor) => dict.tensors.includes(tensor)));
  for (const average of averages) world.end(average, world.averages, () => average.real.update());
  const subsets = world.dicts.filter(({ whole }) => whole === dict);
  for (const part of subsets) world.dicts.splice(world.dicts.indexOf(part), 1);
  const all = [dict, ...subsets];
  world.end(dict, world.dicts, ...all.flatMap(({ real }) => [() => real.data, () => real.copy(), () => real.numel]));
}
