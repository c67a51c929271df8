// The training: in slices, so that messages come in between, with a report to the page after each.
import { AdamW } from "gradstep";
import { MLP, Random } from "gradstep/nn";
import { CosineAnnealingLR } from "gradstep/schedule";
import type { Report, Request, Start } from "./messages.ts";
import { FIELD, places, spirals } from "./spirals.ts";

const BATCH = 64;
const STEPS = 10_000;
const SLICE_MS = 30;

const { x, y } = spirals(new Random(1));
const field = places();
let run = begin();
let training = false;

function begin() {
  const mlp = new MLP([2, 32, 32, 2], { activation: "tanh", batchSize: BATCH, seed: 2 });
  const optimizer = new AdamW(mlp.params, { lr: 0.02, weightDecay: 0.01 });
  const schedule = new CosineAnnealingLR(optimizer, { tMax: STEPS });
  return { mlp, optimizer, schedule, random: new Random(3), step: 0 };
}

function trainBatch(): void {
  const { mlp, optimizer, schedule, random } = run;
  const rows = Array.from({ length: BATCH }, () => random.below(y.length));
  const points = Float32Array.from(rows.flatMap((row) => [x[2 * row], x[2 * row + 1]]));
  mlp.trainBatch(
    points,
    rows.map((row) => y[row]),
  );
  optimizer.step();
  schedule.step();
  run.step++;
}

function trainSlice(): void {
  if (!training) return;
  const [from, began] = [run.step, performance.now()];
  let ms = 0;
  for (; run.step < STEPS && ms < SLICE_MS; ms = performance.now() - began) trainBatch();
  training = run.step < STEPS;
  report(training ? ((run.step - from) / ms) * 1000 : undefined);
  if (training) setTimeout(trainSlice);
}

function report(speed?: number): void {
  const logits = run.mlp.predict(field);
  const sure = new Float32Array(FIELD * FIELD);
  for (let i = 0; i < sure.length; i++) sure[i] = Math.tanh((logits[2 * i + 1] - logits[2 * i]) / 2);
  const message: Report = { step: run.step, steps: STEPS, ...run.mlp.evaluate(x, y), speed, sure };
  postMessage(message, { transfer: [sure.buffer] }); // an owned array: a view of the arena would be refused
}

addEventListener("message", ({ data: request }: MessageEvent<Request>) => {
  if (request === "restart") {
    run.optimizer.dispose();
    run.mlp.dispose();
    run = begin();
  }
  training = request === "train" && run.step < STEPS;
  if (training) trainSlice();
  else report();
});

postMessage({ x, y } satisfies Start);
report();
