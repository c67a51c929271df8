// The three products of a dense layer in GFLOPS, beside the processor's own (peak.ts), which is taken before and after
// each sample: a neighbour on the same core slows products by half at times, and samples in which the peak did not hold
// 94 % are left out.
import { setImmediate } from "node:timers/promises";
import { Arena } from "../src/memory/arena.js";
import { networkKernels } from "../src/nn/kernels.js";
import { PACK_BYTES } from "../src/wasm/generated/layout/products.js";
import { Random } from "../src/init/random.js";
import { makePeak } from "./peak.js";
import { median } from "./turns.js";

const shapes = [
  [64, 784, 128],
  [256, 256, 256],
  [512, 512, 512],
  [64, 128, 10],
] as const;
const MILLISECONDS = 500;

/** GFLOPS of a product, and of the processor just before and just after: the slower of the two. */
interface Sample {
  readonly speed: number;
  readonly peak: number;
}

/** Prints a line a shape: GFLOPS and share of the peak. */
export async function printProducts(): Promise<void> {
  const peak = await makePeak();
  const warm = performance.now() + 1000; // the engine optimizes the loop some 0.2 s after its first run
  while (performance.now() < warm) {
    peak();
    await setImmediate();
  }
  const table = shapes.map((shape) => [shape.join(" × "), measureShape(shape, peak)] as const);
  const peaks = table.flatMap(([, products]) =>
    products.flatMap(([, samples]) => samples.map((sample) => sample.peak)),
  );
  const best = peaks.sort((a, b) => a - b)[Math.floor(0.98 * peaks.length)];
  console.log(`multiply and add in registers: ${best.toFixed(1)} GFLOPS`);
  for (const [shape, products] of table) {
    const results = products.map(([name, samples]) => {
      const held = samples.filter((sample) => sample.peak > 0.94 * best).map(({ speed }) => speed);
      if (held.length < 20) return `${name} (the peak held in ${held.length} samples of ${samples.length})`;
      const speed = median(held);
      return `${name} ${speed.toFixed(1)} (${Math.round((100 * speed) / best)} %)`;
    });
    console.log(`${shape.padEnd(16)} ${results.join("   ")}`);
  }
}

function measureShape(shape: readonly [number, number, number], peak: () => number): [string, Sample[]][] {
  const [rows, inputs, outputs] = shape;
  const arena = new Arena({ capacity: 8 * 2 ** 20 });
  const { dense, denseInput, denseWeight } = networkKernels(arena);
  const floats = (count: number): number => {
    const at = arena.allocate(4 * count, "bench", "an operand");
    const random = new Random(count);
    new Float32Array(arena.buffer, at, count).forEach((_, i, all) => (all[i] = random.uniform() - 0.5));
    return at;
  };
  const [x, dx, w, dw, y, dy] = [rows * inputs, outputs * inputs, rows * outputs].flatMap((n) => [n, n]).map(floats);
  const pack = floats(PACK_BYTES / 4);
  const products: [string, () => void][] = [
    ["x·Wᵀ", () => dense(rows, inputs, outputs, false, x, w, y, pack)],
    ["dy·W", () => denseInput(rows, inputs, outputs, false, dy, w, dx, pack)],
    ["dyᵀ·x", () => denseWeight(rows, inputs, outputs, false, dy, x, dw, pack)],
  ];
  const results = products.map(([name, run]): [string, Sample[]] => [
    name,
    measure(run, (2 * rows * inputs * outputs) / 1e6, peak),
  ]);
  arena.dispose();
  return results;
}

/** `millions` of operations a run. */
function measure(run: () => void, millions: number, peak: () => number): Sample[] {
  const calls = Math.max(1, Math.ceil(4 / millions));
  for (let i = 0; i < 10; i++) run();
  const samples: Sample[] = [];
  for (const end = performance.now() + MILLISECONDS; performance.now() < end;) {
    const before = peak();
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    const speed = (calls * millions) / (performance.now() - start);
    samples.push({ speed, peak: Math.min(before, peak()) });
  }
  return samples;
}
