// Helpers that the tests share: seeded numbers, poisoned memory, comparison of bits, steps of the plain reference.
import { Arena, ParameterDict, type StepOptimizer } from "../../src/index.js";
import type { Plain, Settled } from "./reference/common.js";
import type { Row } from "../rules/table.js";

/** Sizes around one vector, one unrolled iteration and one alignment unit, and a larger odd one. */
export const SIZES = [...Array.from({ length: 34 }, (_, n) => n), 63, 64, 65, 1003];

/** Seeded numbers in [0, 1): xorshift32. */
export function random(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

/** Fills with numbers of several scales, some of them exactly 0. */
export function fillGradient(target: Float32Array, next: () => number): void {
  for (let i = 0; i < target.length; i++) {
    const scale = [1, 1e-3, 30, 0][Math.floor(next() * 4)];
    target[i] = (next() - 0.5) * scale;
  }
}

/** An arena whose free memory is filled with NaN. */
export function poisonedArena(capacity: number, module?: WebAssembly.Module): Arena {
  const arena = new Arena({ capacity, module });
  const before = new ParameterDict({ all: [arena.free / 8] }, { arena });
  before.data.all.fill(NaN);
  before.grad.all.fill(NaN);
  before.dispose();
  return arena;
}

export const bits = (x: Float32Array): Uint32Array => new Uint32Array(x.buffer, x.byteOffset, x.length);

/** The index of the first element whose bits differ, or -1. */
export function firstDifference(a: Float32Array, b: Float32Array): number {
  const [x, y] = [bits(a), bits(b)];
  return a.length === b.length ? x.findIndex((v, i) => v !== y[i]) : 0;
}

/** The padding after a view, which may hold anything. */
export function paddingOf(view: Float32Array): Float32Array {
  const end = view.byteOffset + view.byteLength;
  return new Float32Array(view.buffer, end, (Math.ceil(end / 64) * 64 - end) / 4);
}

/** The resolved options of an optimizer, for the reference. */
export const settledOf = (optimizer: StepOptimizer): Settled => optimizer.paramGroups[0] as unknown as Settled;

export const slotNames = (optimizer: StepOptimizer, name: string): string[] =>
  Object.entries(optimizer.state(name)).flatMap(([slot, value]) => (typeof value === "number" ? [] : [slot]));

/** A plain copy of a tensor before its first step; `shared` is the same object for all tensors of a group. */
export function plainOf(
  row: Row,
  optimizer: StepOptimizer,
  params: ParameterDict,
  name: string,
  shared = row.shared?.start(settledOf(optimizer)) ?? {},
): Plain {
  const start = row.start?.(settledOf(optimizer)) ?? {};
  const state = optimizer.state(name);
  const slots = slotNames(optimizer, name).map((slot) => {
    const from = start[slot] ?? 0;
    if (from === "parameters") return [slot, params.data[name].slice()] as const;
    return [slot, new Float32Array((state[slot] as Float32Array).length).fill(from)] as const;
  });
  const p = params.data[name].slice();
  const [shape, g, scalars] = [params.shapes[name], new Float32Array(p.length), { ...row.scalars }];
  return { shape, p, g, slots: Object.fromEntries(slots), scalars, shared };
}

/** One step of the reference on tensors, each with its step count, that share the numbers of their group. */
export function plainStep(row: Row, o: Settled, tensors: readonly (readonly [Plain, number])[], gradScale = 1): void {
  const shared = tensors.at(0)?.[0].shared;
  if (shared) row.shared?.advance?.(o, shared);
  const gathered = tensors.map(([tensor]) => tensor);
  if (row.gather && shared && !row.gather(gathered, o, gradScale, shared)) return;
  for (const [tensor, t] of tensors) row.update(tensor, o, t, gradScale);
}

/** A shape of n elements that the rule accepts. */
export const shapeOf = (row: Pick<Row, "shape">, n: number): readonly number[] => row.shape?.(n) ?? [n];

/** Shapes of the given sizes that the rule accepts. */
export const shapesOf = <Name extends string>(
  row: Pick<Row, "shape">,
  sizes: Readonly<Record<Name, number>>,
): Record<Name, readonly number[]> =>
  Object.fromEntries(Object.entries<number>(sizes).map(([name, n]) => [name, shapeOf(row, n)])) as Record<
    Name,
    readonly number[]
  >;

/** The two closest factors of n; the larger one first if n is odd. */
export function matrixOf(n: number): [number, number] {
  let side = Math.floor(Math.sqrt(n));
  while (side > 1 && n % side !== 0) side--;
  const other = side === 0 ? 0 : n / side;
  return n % 2 === 1 ? [other, side] : [side, other];
}
