// LBFGS, compared with another one in a separate arena.
import fc from "fast-check";
import { LBFGS, type LBFGSOptions, ParameterDict, type TensorState } from "../../../src/index.js";
import { equal, same } from "../invariants.js";
import { type LiveSearch, type LiveTensor, type World, applied, pick } from "../world.js";
import { command, oneOf, seed, which } from "./command.js";

/** An ill-conditioned bowl whose lowest point differs from element to element, as a closure over these views. */
function closure(
  tensors: readonly { data: Float32Array; grad: Float32Array }[],
  seed: number,
  fault: { at: number; how: "none" | "throw" | "NaN" | "type" },
): () => number {
  let calls = 0;
  return () => {
    const faulty = ++calls === fault.at;
    let loss = 0;
    for (const { data, grad } of tensors)
      data.forEach((x, i) => {
        const [c, to] = [1 + ((i * 7 + seed) % 11), ((i + seed) % 5) - 2];
        grad[i] = faulty && fault.how === "NaN" ? NaN : c * (x - to);
        loss += 0.5 * c * (x - to) ** 2;
      });
    if (faulty && fault.how === "throw") throw new Error("closure: it failed");
    return faulty && fault.how === "type" ? (undefined as unknown as number) : loss;
  };
}

const options = fc.record({
  historySize: fc.integer({ min: 1, max: 3 }),
  maxIter: fc.integer({ min: 1, max: 6 }),
  lineSearch: fc.constantFrom(null, "strong-wolfe" as const),
  nonFinite: oneOf("propagate" as const, "skip" as const, "throw" as const),
  lr: fc.constantFrom(0.1, 1),
});

export const makeSearch = command(2, fc.record({ at: which, options }), (world, given) => {
  const dict = pick(world.dicts, given.at);
  if (!dict) return;
  const refusal = dict.tensors.some(({ owner }) => owner) ? /belongs to a live/ : undefined;
  const charge = { bytes: 0 };
  const made = world.call(() => new LBFGS(dict.real, given.options), { refusal, to: charge });
  if (!made) return;
  const tensors = [...dict.tensors].sort((a, b) => a.data.byteOffset - b.data.byteOffset);
  const search: LiveSearch = {
    real: made.value,
    tensors,
    options: given.options,
    shadow: shadowOf(tensors, given.options),
    ...charge,
  };
  for (const tensor of tensors) tensor.owner = search;
  world.searches.push(search);
});

function shadowOf(tensors: readonly LiveTensor[], options: LBFGSOptions): LBFGS & { params: ParameterDict } {
  const params: ParameterDict = new ParameterDict(Object.fromEntries(tensors.map(({ name, shape }) => [name, shape])), {
    capacity: 2 ** 16 + 200 * (tensors.reduce((sum, { p }) => sum + p.length, 0) + 16 * tensors.length) + 1,
  });
  return Object.assign(new LBFGS(params, options), { params });
}

/** Runs a call on both; they must then be alike. */
function onBoth(
  world: World,
  search: LiveSearch,
  what: (search: LBFGS, tensors: readonly { data: Float32Array; grad: Float32Array }[]) => unknown,
): void {
  const { real, shadow, tensors } = search;
  const own = tensors.map(({ name }) => ({ data: shadow.params.data[name], grad: shadow.params.grad[name] }));
  tensors.forEach(({ p, g }, i) => {
    own[i].data.set(p);
    own[i].grad.set(g);
  });
  const outcome = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      return String(error);
    }
  };
  const got = world.call(() => outcome(() => what(real, tensors)))!.value;
  const want = outcome(() => what(shadow, own));
  if (!Object.is(got, want)) throw new Error(`LBFGS came to ${String(got)}, not ${String(want)}`);
  tensors.forEach(({ name, p, g, data, grad }, i) => {
    same(data, own[i].data, `${name} under LBFGS`);
    same(grad, own[i].grad, `the gradient of ${name} under LBFGS`);
    p.set(data);
    g.set(grad);
    const [a, b]: TensorState[] = [real.state(name), shadow.state(name)];
    for (const [slot, value] of Object.entries(b)) {
      if (typeof value === "number") equal(a[slot] as number, value, `LBFGS's ${slot}`);
      else same(a[slot] as Float32Array, value, `LBFGS's ${slot} of ${name}`);
    }
  });
}

export const search = command(
  4,
  fc.record({
    at: which,
    seed,
    fault: fc.record({ at: fc.nat(9), how: fc.constantFrom("none" as const, "none", "throw", "NaN", "type") }),
  }),
  (world, { at, seed, fault }) => {
    const search = pick(world.searches, at);
    if (!search) return;
    const refusal = applied(world, search.tensors);
    if (refusal) world.call(() => search.real.step(() => 0), { refusal });
    else onBoth(world, search, (lbfgs, tensors) => lbfgs.step(closure(tensors, seed, fault)));
  },
);

/** Goes on from what was saved, in another that has not stepped. */
export const resumeSearch = command(2, fc.record({ at: which, seed }), (world, { at, seed }) => {
  const search = pick(world.searches, at);
  if (!search || applied(world, search.tensors)) return;
  const saved = world.call(() => search.real.stateDict())!.value;
  search.shadow.params.arena.dispose();
  Object.assign(search, { shadow: shadowOf(search.tensors, search.options) });
  search.shadow.loadStateDict(structuredClone(saved));
  onBoth(world, search, (lbfgs, tensors) => lbfgs.step(closure(tensors, seed, { at: 0, how: "none" })));
});

export const disposeSearch = command(1, which, (world, at) => {
  const search = pick(world.searches, at);
  if (search) endSearch(world, search);
});

/** Ends one, and the one beside it. */
export function endSearch(world: World, search: LiveSearch): void {
  const { real, shadow, tensors } = search;
  world.end(
    search,
    world.searches,
    () => real.step(() => 0),
    () => real.stateDict(),
  );
  shadow.params.arena.dispose();
  for (const tensor of tensors) tensor.owner = undefined;
}
