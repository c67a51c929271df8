// What is learned: handwritten digits by two networks, and a book by a small transformer.
import { type Network, Random } from "gradstep/nn";
import { readText } from "../gpt/book.ts";
import { makeModel } from "../gpt/model.ts";
import { copyPiece, validate } from "../gpt/train.ts";
import { mnistDirectory, readDataset } from "../mnist/idx.ts";
import { type ModelName, models } from "../mnist/models.ts";

/** How a network is made. */
interface Options {
  readonly seed: number;
  readonly slots?: number | undefined;
}

/** A task with its data read. */
export interface Task {
  make(options: Options): Network;
  /** An endless supply of batches: each call fills the arrays of `network.trainBatch`. */
  batches(seed: number): () => readonly [x: Uint8Array | Int32Array, y: Uint8Array | Int32Array];
  /** What the run comes to, less is better. */
  test(network: Network): number;
}

/** What stays the same in all runs of a task. A change makes kept results stale. */
export interface Plan {
  readonly title: string;
  /** What {@link Task.test} returns. */
  readonly score: string;
  /** Digits of a score that are shown. */
  readonly digits: number;
  readonly data: "images" | "text";
  /** Gradients that a run may compute. */
  readonly gradients: number;
  readonly batch: number;
  /** Steps over which the rate rises, as a share of the run. */
  readonly warmUp: number;
  readonly clipNorm?: number;
}

const images = { data: "images", score: "test error, %", digits: 2, batch: 64, warmUp: 0 } as const;

export const plans = {
  mlp: { ...images, title: "MLP on MNIST", gradients: 938 },
  cnn: { ...images, title: "CNN on MNIST", gradients: 200 },
  gpt: {
    ...{ data: "text", title: "GPT on a book", score: "validation loss", digits: 3 },
    ...{ gradients: 200, batch: 8, warmUp: 0.1, clipNorm: 1 },
  },
} as const satisfies Record<string, Plan>;

export type TaskName = keyof typeof plans;
export const taskNames = Object.keys(plans) as TaskName[];

/** The transformer, smaller than that of `npm run gpt`. */
const sizes = { layers: 2, width: 64, heads: 4, context: 64 };
/** Rows of the validation text. */
const ROWS = 128;

/** Reads the data of a task. */
export function readTask(name: TaskName): Task {
  return name === "gpt" ? readBook() : readImages(name);
}

function readImages(model: Exclude<ModelName, "resnet">): Task {
  const data = readDataset(mnistDirectory());
  const { train, test, pixels } = data;
  const size = plans[model].batch;
  return {
    make: (options) => models[model].make(data, [128], { batchSize: size, ...options }),
    batches(seed) {
      const random = new Random(seed + 2 ** 32); // another stream of the generator than the network's start
      const order = Uint32Array.from({ length: train.count }, (_, i) => i);
      const [x, y] = [new Uint8Array(size * pixels), new Uint8Array(size)];
      let next = 0;
      return () => {
        for (let row = 0; row < size; row++) {
          if (next === 0) random.shuffle(order);
          const sample = order[next];
          x.set(train.images.subarray(sample * pixels, (sample + 1) * pixels), row * pixels);
          y[row] = train.labels[sample];
          next = (next + 1) % train.count;
        }
        return [x, y];
      };
    },
    test: (network) => 100 * (1 - network.evaluate(test.images, test.labels).accuracy),
  };
}

function readBook(): Task {
  const { context } = sizes;
  const { alphabet, train, validation } = readText(undefined, context);
  const { batch } = plans.gpt;
  return {
    make: (options) => makeModel(sizes, alphabet.characters.length, { batchSize: batch, ...options }),
    batches(seed) {
      const random = new Random(seed + 2 ** 32);
      const [x, y] = [new Int32Array(batch * context), new Int32Array(batch * context)];
      return () => {
        for (let row = 0; row < batch; row++)
          copyPiece(train, random.below(train.length - context), context, row, x, y);
        return [x, y];
      };
    },
    test: (network) => validate(network, validation, context, ROWS).loss,
  };
}
