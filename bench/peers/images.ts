import { MLP, Random } from "../../dist/nn/index.js";
import { mnistDirectory, readDataset } from "../../examples/mnist/idx.ts";
import { BATCH, type Start, sizes } from "./contender.ts";

interface Rows {
  readonly x: Float32Array<ArrayBuffer>;
  readonly y: Uint8Array<ArrayBuffer>;
}

interface Images {
  /** The rows of a batch, in an order that is the same for all contenders. */
  batch(index: number): Rows;
  test(): Rows;
}

let read: Images | undefined;

/** MNIST, read once. */
export function images(): Images {
  return (read ??= open());
}

function open(): Images {
  const { train, test, pixels } = readDataset(mnistDirectory());
  const order = Uint32Array.from({ length: train.count }, (_, i) => i);
  new Random(1).shuffle(order);
  const gather = ({ images, labels }: typeof train, rows: Uint32Array): Rows => {
    const x = new Float32Array(rows.length * pixels);
    rows.forEach((row, i) => {
      for (let k = 0; k < pixels; k++) x[i * pixels + k] = images[row * pixels + k] / 255;
    });
    return { x, y: Uint8Array.from(rows, (row) => labels[row]) };
  };
  return {
    batch: (index) => gather(train, order.subarray(index * BATCH, (index + 1) * BATCH)),
    test: () =>
      gather(
        test,
        Uint32Array.from({ length: test.count }, (_, i) => i),
      ),
  };
}

/** Full batches of an epoch. */
export const BATCHES = Math.floor(60_000 / BATCH);

/** The weights that every network starts from, but brain.js's, which draws its own. */
export function start(): Start {
  const mlp = new MLP([...sizes], { seed: 1 });
  const { "0.weight": w1, "0.bias": b1, "2.weight": w2, "2.bias": b2 } = mlp.params.copy();
  mlp.dispose();
  return { w1, b1, w2, b2 } as Start;
}
