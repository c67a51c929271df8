// npm run bench:step: all that a training step does (clipping, decay, update, clearing, average) in one pass, beside the
// same by one call each, in turns.
import Table from "cli-table3";
import { Command } from "commander";
import { AdamW, ParameterDict, WeightEma, clipGradNorm } from "gradstep";
import { list, whole } from "./choices.js";
import { layoutName, layouts, sum } from "./contests.js";
import { inTurns, median, ratio } from "./turns.js";

const { sizes, rounds } = new Command("bench:step")
  .description("Takes a training step in one pass in turns with its parts by one call each.")
  .addOption(
    list("--sizes <layouts>", "numbers of elements, or tensors x elements", Object.keys(layouts), [
      "16384",
      "1048576",
      "16777216",
      "100x1000",
    ]),
  )
  .option("--rounds <n>", "turns", whole, 15)
  .parse()
  .opts<{ sizes: string[]; rounds: number }>();

/** A model whose gradients are written anew before each step, as a backward pass does: without, they would stay cleared. */
function training(lengths: readonly number[]): {
  optimizer: AdamW;
  params: ParameterDict;
  ema: WeightEma;
  fill(): void;
} {
  const params = new ParameterDict(Object.fromEntries(lengths.map((n, i) => [`t${i}`, [n]])));
  const backward = params.names.map((name) => params.grad[name].map((_, i) => Math.sin(i) * 0.1 + 0.001));
  const grads = params.names.map((name) => params.grad[name]);
  const ema = new WeightEma(params);
  ema.update();
  return {
    optimizer: new AdamW(params),
    params,
    ema,
    fill() {
      for (let i = 0; i < grads.length; i++) grads[i].set(backward[i]);
    },
  };
}

function run(lengths: readonly number[]): string[] {
  const [writing, bare, parts, whole] = [0, 1, 2, 3].map(() => training(lengths));
  const riders = { clipNorm: 1, zeroGrad: true, average: whole.ema };
  const contenders = [
    () => writing.fill(),
    () => {
      bare.fill();
      bare.optimizer.step();
    },
    () => {
      parts.fill();
      clipGradNorm(parts.params, 1);
      parts.optimizer.step();
      parts.params.zeroGrad();
      parts.ema.update();
    },
    () => {
      whole.fill();
      whole.optimizer.step(riders);
    },
  ];
  const total = sum(lengths);
  const calls = Math.max(1, Math.round(2e5 / total));
  const times = inTurns(
    contenders.map((step) => ({ run: step, calls })),
    rounds,
  );
  const [, alone, one, fused] = times.map((taken) => taken.map((seconds, i) => seconds - times[0][i]));
  const perElement = (taken: readonly number[]): string => ((median(taken) / total) * 1e9).toFixed(2);
  return [layoutName(lengths), ...[alone, one, fused].map(perElement), `${ratio(one, fused).toFixed(2)} ×`];
}

const table = new Table({
  head: ["elements", "the update alone", "all, a call each", "all, one pass", "times faster"],
  style: { head: [], border: [] },
  colAligns: ["right", "right", "right", "right", "right"],
});
for (const size of sizes) table.push(run(layouts[size]));
console.log(table.toString());
console.log(
  `AdamW with decay: clipGradNorm, step, zeroGrad and WeightEma beside step({ clipNorm, zeroGrad, average }). Nanoseconds\nan element; what writing the gradients takes is subtracted. Medians of ${rounds} turns.`,
);
