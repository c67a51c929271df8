// npm run bench:state: AdamW's step and MNIST's training loss with its state in each format.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { AdamW, ParameterDict, type StateFormat } from "gradstep";
import { MLP } from "gradstep/nn";
import { mnistDirectory, readDataset } from "../examples/mnist/idx.ts";
import { inTurns, median, ratio } from "./turns.js";

const FORMATS: readonly StateFormat[] = ["float32", "bfloat16", "8bit"];
const BATCH = 64;

/** An optimizer on n parameters, all of them with real numbers. */
function stepper(n: number, stateFormat: StateFormat): { step: () => void; bytes: number } {
  const params = new ParameterDict({ all: [n] }, { slots: 3 });
  for (const view of [params.data.all, params.grad.all])
    for (let i = 0; i < n; i++) view[i] = Math.sin(i * 12.9898 + view.byteOffset) * 0.1 + 0.001;
  const optimizer = new AdamW(params, { stateFormat });
  return { step: () => optimizer.step(), bytes: 8 + optimizer.stateBytes / n };
}

function speed(rounds: number): void {
  const table = new Table({
    head: ["elements", "state", "bytes a parameter, with value and gradient", "ns an element", "÷ float32"],
    style: { head: [], border: [] },
    colAligns: ["right", "left", "right", "right", "right"],
  });
  for (const n of [16_384, 1_048_576, 16_777_216]) {
    const contenders = FORMATS.map((format) => stepper(n, format));
    const calls = Math.max(1, Math.round(3e5 / n));
    const times = inTurns(
      contenders.map(({ step }) => ({ run: step, calls })),
      rounds,
      n > 1e7 ? 1 : 5,
    );
    FORMATS.forEach((format, k) =>
      table.push([
        n.toLocaleString("en"),
        format,
        contenders[k].bytes.toFixed(2),
        ((median(times[k]) / n) * 1e9).toFixed(2),
        ratio(times[k], times[0]).toFixed(2),
      ]),
    );
  }
  console.log(table.toString());
}

/** The mean loss of the last 200 batches of training, over all epochs. */
function finalLoss(
  data: ReturnType<typeof readDataset>,
  seed: number,
  epochs: number,
  stateFormat: StateFormat,
): number {
  const { train, pixels, classes } = data;
  const mlp = new MLP([pixels, 128, classes], { batchSize: BATCH, seed });
  const optimizer = new AdamW(mlp.params, { lr: 1e-3, stateFormat });
  const x = new Float32Array(BATCH * pixels);
  const y = new Uint8Array(BATCH);
  const losses: number[] = [];
  let state = seed * 2654435761;
  for (let batch = 0; batch < (epochs * train.count) / BATCH; batch++) {
    for (let row = 0; row < BATCH; row++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const image = Math.floor((state / 2 ** 32) * train.count);
      for (let i = 0; i < pixels; i++) x[row * pixels + i] = train.images[image * pixels + i] / 255;
      y[row] = train.labels[image];
    }
    losses.push(mlp.trainBatch(x, y));
    optimizer.step();
  }
  optimizer.dispose();
  mlp.dispose();
  return losses.slice(-200).reduce((sum, loss) => sum + loss, 0) / 200;
}

function training(seeds: number, epochs: number): void {
  const data = readDataset(mnistDirectory());
  const table = new Table({
    head: ["seed", ...FORMATS, ...FORMATS.slice(1).map((format) => `${format} ÷ float32`)],
    style: { head: [], border: [] },
  });
  const all: number[][] = [];
  const row = (name: string, losses: readonly number[]): string[] => [
    name,
    ...losses.map((loss) => loss.toFixed(4)),
    ...losses.slice(1).map((loss) => (loss / losses[0]).toFixed(3)),
  ];
  for (let seed = 1; seed <= seeds; seed++) {
    all.push(FORMATS.map((format) => finalLoss(data, seed, epochs, format)));
    table.push(row(String(seed), all[seed - 1]));
  }
  table.push(
    row(
      "mean",
      FORMATS.map((_, k) => all.reduce((sum, losses) => sum + losses[k], 0) / seeds),
    ),
  );
  console.log(table.toString());
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    seeds: { type: "string", default: "5" },
    epochs: { type: "string", default: "3" },
  },
});
console.log("AdamW, a step");
if (Number(values.rounds) > 0) speed(Number(values.rounds));
console.log(
  `AdamW on MNIST, 784-128-10, batch ${BATCH}, ${values.epochs} epochs: mean training loss of the last 200 batches`,
);
if (Number(values.seeds) > 0) training(Number(values.seeds), Number(values.epochs));
console.log(`${cpus()[0].model}, Node ${process.versions.node}; medians in turns, ratios by pairs`);
