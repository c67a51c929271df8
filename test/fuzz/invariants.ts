// Checks after every call that the real objects equal the model, and that their views are still the same objects.
import { expect } from "vitest";
import {
  type LiveAverage,
  type LiveDict,
  type LiveLookahead,
  type LiveOptimizer,
  type LiveSchedule,
  type World,
  applied,
} from "./world.js";

export function check(world: World): void {
  equal(world.arena.used, world.charged, "bytes in use");
  for (const dict of world.dicts) checkDict(dict);
  for (const optimizer of world.optimizers) checkOptimizer(optimizer);
  for (const average of world.averages) checkAverage(average);
  for (const lookahead of world.lookaheads)
    if (!applied(world, lookahead.optimizer.plain.tensors)) checkLookahead(lookahead);
  for (const schedule of world.schedules) checkSchedule(schedule);
}

/** The same number. */
export function equal(got: number, want: number, what: string): void {
  if (!Object.is(got, want)) expect.fail(`${what}: ${got}, not ${want}`);
}

/** The same bits, but that any NaN is a NaN. */
export function same(got: Float32Array, want: Float32Array, what: string): void {
  if (got.length !== want.length) expect.fail(`${what} has ${got.length} elements, not ${want.length}`);
  for (let i = 0; i < got.length; i++)
    if (!Object.is(got[i], want[i])) expect.fail(`${what}[${i}] is ${got[i]}, not ${want[i]}`);
}

function checkDict({ real, tensors }: LiveDict): void {
  if (real.names.length !== tensors.length) expect.fail("names have changed");
  for (const { name, data, grad, p, g, shape } of tensors) {
    if (real.data[name] !== data || real.grad[name] !== grad) expect.fail(`a view of ${name} is another object`);
    if (String(real.shapes[name]) !== String(shape)) expect.fail(`the shape of ${name} has changed`);
    same(data, p, name);
    same(grad, g, `the gradient of ${name}`);
  }
}

function checkOptimizer({ real, plain, views }: LiveOptimizer): void {
  const { rule } = plain.row;
  if (real.paramGroups.length !== plain.groups.length) expect.fail(`${rule} has ${real.paramGroups.length} groups`);
  plain.groups.forEach(({ options }, g) => {
    const group = real.paramGroups[g] as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(options)) {
      const got = group[name];
      if (!Object.is(got, value) && JSON.stringify(got) !== JSON.stringify(value))
        expect.fail(`${rule}'s paramGroups[${g}].${name} is ${String(got)}, not ${String(value)}`);
    }
  });
  equal(real.gradNorm, plain.gradNorm, `${rule}'s gradNorm`);
  for (const { tensor, t, plain: want } of plain.members) {
    const { step, ...state } = real.state(tensor.name);
    if (step !== t) expect.fail(`${rule}'s step of ${tensor.name} is ${step}, not ${t}`);
    const known: Record<string, number | Float32Array> = { ...want.scalars, ...want.shared, ...want.slots };
    for (const slot of Object.keys(want.slots)) if (!(slot in state)) expect.fail(`${rule} has lost ${slot}`);
    for (const [name, got] of Object.entries(state)) {
      const value = known[name];
      const what = `${rule}'s ${name} of ${tensor.name} after step ${t}`;
      if (!(value instanceof Float32Array) || typeof got === "number") {
        if (!isClose(got, value)) expect.fail(`${what} is ${String(got)}, not ${String(value)}`);
        continue;
      }
      same(got, value, what);
      if (got.buffer !== real.arena.buffer) continue; // a small slot, decoded
      const key = `${tensor.name} ${name}`;
      if (!views.has(key)) views.set(key, got);
      if (views.get(key) !== got) expect.fail(`${what} is another view`);
    }
  }
}

/** The same, but for the last digit, in which an engine's Math.pow may differ from ours. */
const isClose = (a: unknown, b: unknown): boolean =>
  Object.is(a, b) || Math.abs(Number(a) - Number(b)) <= 1e-14 * Math.abs(Number(a));

function checkAverage({ real, kind, tensors, values, views, decay, updates }: LiveAverage): void {
  equal(real.updates, updates, `${kind}'s updates`);
  if ("decay" in real) equal(real.decay, decay, "decay");
  tensors.forEach(({ name }, i) => {
    if (real.values[name] !== views[i]) expect.fail(`${kind}'s values of ${name} are another view`);
    same(views[i], values[i], `${kind} of ${name} after ${updates} updates`);
  });
}

function checkLookahead({ real, k, alpha, steps, slow, optimizer }: LiveLookahead): void {
  if (slow.size < optimizer.plain.members.length) return; // its state takes the new tensors in
  const state = real.stateDict();
  equal(state.k, k, "Lookahead's k");
  equal(state.alpha, alpha, "Lookahead's alpha");
  equal(state.steps, steps, "Lookahead's steps");
  for (const [name, values] of slow) same(state.tensors[name].values, values, `slow weights of ${name}`);
}

function checkSchedule({ real, counter }: LiveSchedule): void {
  equal(real.stateDict().counter, counter, "a schedule's counter");
}
