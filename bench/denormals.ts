// tsx bench/denormals.ts: does a moment that decays under zero gradients slow the step down? Nanoseconds an element of
// steps with real gradients, then of 10,000 with zeros, in tenths; beside them the same kernel without the flush that
// the optimizer does when a tensor's step count is a multiple of 256.
import * as gradstep from "gradstep";
import { instantiate } from "gradstep/kernels";
import { median } from "./turns.js";

const N = 16_384;
const STEPS = 10_000;
const TENTH = STEPS / 10;

function fill(view: Float32Array): void {
  for (let i = 0; i < N; i++) view[i] = Math.sin(i * 12.9898) * 0.1 + 0.001;
}

/** Nanoseconds an element: the median of `count` calls. */
function time(step: () => void, count: number): number {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    step();
    samples.push(((performance.now() - start) * 1e6) / N);
  }
  return median(samples);
}

const params = new gradstep.ParameterDict({ w: [N] });
const optimizer = new gradstep.Adam(params);
fill(params.data.w);
fill(params.grad.w);

const memory = new WebAssembly.Memory({ initial: 8 });
const { adam } = instantiate(memory);
const [p, g, m, v] = [0, 1, 2, 3].map((k) => 65536 + k * N * 4);
const raw = new Float32Array(memory.buffer, g, N);
fill(new Float32Array(memory.buffer, p, N));
fill(raw);
const bare = (): void => adam(N, p, g, m, v, 0, 1, 0, 0, 0.9, 0.1, 0.999, 0.001, 0.001, 1, 1e-8, 1);

time(() => optimizer.step(), 2000);
time(bare, 2000);
const show = (label: string, ours: number, without: number): void =>
  console.log(`${label.padEnd(24)} ${ours.toFixed(2)} ns   without the flush ${without.toFixed(2)} ns`);
show(
  "real gradients",
  time(() => optimizer.step(), TENTH),
  time(bare, TENTH),
);
params.grad.w.fill(0);
raw.fill(0);
for (let k = 1; k <= 10; k++)
  show(
    `zeros, to step ${k * TENTH}`,
    time(() => optimizer.step(), TENTH),
    time(bare, TENTH),
  );
