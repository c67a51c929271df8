// The small training that the tests distribute: an MLP on made data, the same everywhere.
import { Random, SGD } from "../../src/index.js";
import { MLP } from "../../src/nn/index.js";
import type { CoordinateOptions, JoinOptions, LocalStep } from "../../src/distributed/index.js";

export const SAMPLES = 500;
const [INPUTS, CLASSES] = [20, 5];

/** Rows of made data, with the class that a fixed rule gives them. */
function makeData(): { x: Float32Array; y: Int32Array } {
  const random = new Random(7);
  const x = Float32Array.from({ length: SAMPLES * INPUTS }, () => 2 * random.uniform() - 1);
  const y = Int32Array.from({ length: SAMPLES }, (_, row) => {
    const sums = Array.from({ length: CLASSES }, (_, k) => x[row * INPUTS + k] + x[row * INPUTS + CLASSES + k]);
    return sums.indexOf(Math.max(...sums));
  });
  return { x, y };
}

export const makeMLP = (): MLP => new MLP([INPUTS, 32, CLASSES], { batchSize: 16, seed: 3 });

/** Options of a coordinator, with its own network. */
export function coordinatorOptions(run: string, more: Partial<CoordinateOptions> = {}): CoordinateOptions {
  const { params } = makeMLP();
  return {
    run,
    params,
    optimizer: new SGD(params, { lr: 0.7, momentum: 0.9, nesterov: true }),
    replicas: 3,
    localSteps: 5,
    batchSize: 16,
    samples: SAMPLES,
    rounds: 8,
    seed: 1,
    ...more,
  };
}

/** Options of a worker, with its own network; `delay`: milliseconds that a task takes more. */
export function workerOptions(
  run: string,
  more: Partial<JoinOptions> = {},
  delay = 0,
): { mlp: MLP; options: JoinOptions } {
  const mlp = makeMLP();
  const { x, y } = makeData();
  const optimizer = new SGD(mlp.params, { lr: 0.1, momentum: 0.5 });
  const options: JoinOptions = {
    run,
    params: mlp.params,
    optimizer,
    async step({ rows, step }: LocalStep) {
      if (delay > 0 && step === 0) await new Promise((resolve) => setTimeout(resolve, delay));
      const inputs = new Float32Array(rows.length * INPUTS);
      rows.forEach((row, i) => inputs.set(x.subarray(row * INPUTS, (row + 1) * INPUTS), i * INPUTS));
      const loss = mlp.trainBatch(
        inputs,
        Int32Array.from(rows, (row) => y[row]),
      );
      optimizer.step();
      return loss;
    },
    ...more,
  };
  return { mlp, options };
}
