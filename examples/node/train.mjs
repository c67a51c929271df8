// node train.mjs [file] [steps]: tells two half moons apart. Stopped and started again, it goes on where it was.
import { existsSync } from "node:fs";
import { AdamW } from "gradstep";
import { loadFile, saveFile } from "gradstep/checkpoint";
import { MLP, Random } from "gradstep/nn";
import { CosineAnnealingLR } from "gradstep/schedule";

const [file = "moons.safetensors", steps = "500"] = process.argv.slice(2);
const BATCH = 64;

const mlp = new MLP([2, 16, 16, 2], { batchSize: BATCH, activation: "tanh", seed: 1 });
const optimizer = new AdamW(mlp.params, { lr: 0.02, weightDecay: 0.01 });
const schedule = new CosineAnnealingLR(optimizer, { tMax: 500 });
let [step, random] = [0, new Random(2)];

if (existsSync(file)) {
  const { extra } = await loadFile(file, mlp.params, { optimizers: [optimizer] });
  schedule.loadStateDict(extra.schedule);
  [step, random] = [extra.step, Random.from(extra.random)];
  console.log(`going on from step ${step} of ${file}`);
}

while (step < Number(steps)) {
  const { x, y } = moons(BATCH);
  const loss = mlp.trainBatch(x, y); // fills the gradients
  optimizer.step();
  schedule.step();
  if (++step % 100 > 0) continue;
  console.log(`step ${step}  loss ${loss.toFixed(4)}  next lr ${schedule.lastLr[0].toFixed(4)}`);
  const extra = { schedule: schedule.stateDict(), step, random: random.state() };
  await saveFile(file, mlp.params, { optimizers: [optimizer], extra });
}

random = new Random(3); // points that it has not seen
const { x, y } = moons(1000);
console.log(`accuracy ${mlp.evaluate(x, y).accuracy}`);

/** Points [count, 2] of two half circles that reach into each other, and which of the two each is of. */
function moons(count) {
  const [x, y] = [new Float32Array(2 * count), new Uint8Array(count)];
  for (let i = 0; i < count; i++) {
    y[i] = random.below(2);
    const angle = Math.PI * (random.uniform() + y[i]);
    const noise = () => 0.4 * (random.uniform() - 0.5);
    x[2 * i] = Math.cos(angle) + y[i] + noise();
    x[2 * i + 1] = Math.sin(angle) + y[i] / 2 + noise();
  }
  return { x, y };
}
