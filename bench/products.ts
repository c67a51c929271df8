// The three products of a dense layer in GFLOPS, beside the processor's own (peak.ts), which is taken before and after
// each sample: a neighbour on the same core slows products by half at times, and samples in which the peak did not hold
// 94 % are left out.
import { Arena } from "../src/arena.js";
import { PACK_BYTES } from "../src/nn/scratch.js";
import { Random } from "../src/nn/random.js";
import { makePeak } from "./peak.js";
import { median } from "./turns.js";

const shapes = [
  [64, 784, 128],
  [256, 256, 256],
  [512, 512, 512],
  [64, 128, 10],
] as const;
const MILLISECONDS = 1500;

/** Prints a line a shape: GFLOPS and share of the peak. */
export async function printProducts(): Promise<void> {
  const peak = await makePeak();
  const best = warmPeak(peak);
  console.log(`multiply and add in registers: ${best.toFixed(1)} GFLOPS`);
  for (const [rows, inputs, outputs] of shapes) {
    const arena = new Arena({ capacity: 8 * 2 ** 20 });
    const { dense, denseInput, denseWeight } = arena.kernels;
    const floats = (count: number): number => {
      const at = arena.allocate(4 * count, "bench", "an operand");
      const random = new Random(count);
      new Float32Array(arena.buffer, at, count).forEach((_, i, all) => (all[i] = random.uniform() - 0.5));
      return at;
    };
    const [x, w, y] = [rows * inputs, outputs * inputs, rows * outputs].map(floats);
    const [dx, dw, dy] = [rows * inputs, outputs * inputs, rows * outputs].map(floats);
    const pack = floats(PACK_BYTES / 4);
    const products = {
      "x·Wᵀ": () => dense(rows, inputs, outputs, x, w, y, pack),
      "dy·W": () => denseInput(rows, inputs, outputs, dy, w, dx, pack),
      "dyᵀ·x": () => denseWeight(rows, inputs, outputs, dy, x, dw, pack),
    };
    const results = Object.entries(products).map(([name, run]) => {
      const { share, kept } = measure(run, (2 * rows * inputs * outputs) / 1e6, peak, best);
      return `${name} ${(share * best).toFixed(1)} (${Math.round(100 * share)} %${kept < 20 ? `, ${kept} samples` : ""})`;
    });
    console.log(`${`${rows} × ${inputs} × ${outputs}`.padEnd(16)} ${results.join("   ")}`);
    arena.dispose();
  }
}

function warmPeak(peak: () => number): number {
  const seen = Array.from({ length: 3000 }, peak).sort((a, b) => a - b);
  return seen[Math.floor(0.98 * seen.length)];
}

/** The median share of the peak, over the samples in which it held; million operations a run. */
function measure(run: () => void, millions: number, peak: () => number, best: number): { share: number; kept: number } {
  const calls = Math.max(1, Math.ceil(4 / millions));
  for (let i = 0; i < 10; i++) run();
  const shares: number[] = [];
  for (const end = performance.now() + MILLISECONDS / 3; performance.now() < end;) {
    const before = peak();
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    const speed = (calls * millions) / (performance.now() - start);
    if (Math.min(before, peak()) > 0.94 * best) shares.push(speed / best);
  }
  return { share: median(shares), kept: shares.length };
}
