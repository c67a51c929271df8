// The network that the cluster trains, and a worker's part in it: the same in a process and in a tab.
import type { NatsConnection } from "@nats-io/nats-core";
import { SGD } from "gradstep";
import { join } from "gradstep/distributed";
import type { Network } from "gradstep/nn";
import { models } from "../mnist/models.ts";
import type { Setup } from "./settings.ts";

const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const SAMPLES = 60_000;
const HIDDEN = [128];

/** MNIST's training images, a byte a pixel, and what they show. */
export interface Images {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export const makeNetwork = ({ model, batchSize, seed }: Setup): Network =>
  models[model].make({ height: SIDE, width: SIDE, pixels: PIXELS, classes: 10 }, HIDDEN, { batchSize, seed });

/** How many parameters the network has. @throws RangeError for a setting that the library refuses. */
export function countParameters(setup: Setup): number {
  const network = makeNetwork(setup);
  new SGD(network.params, { lr: setup.lr }).dispose();
  const { numel } = network.params;
  network.dispose();
  return numel;
}

/** What a worker is called, when it stops, and who is told of each task that it begins. */
interface Part {
  readonly name: string;
  readonly signal?: AbortSignal;
  readonly onTask?: (round: number, replica: number) => void;
}

/** Works for the run until it ends. */
export async function work(nc: NatsConnection, setup: Setup, { images, labels }: Images, part: Part): Promise<void> {
  const { run, batchSize, lr } = setup;
  const network = makeNetwork(setup);
  const optimizer = new SGD(network.params, { lr });
  const x = new Uint8Array(batchSize * PIXELS);
  const y = new Uint8Array(batchSize);
  try {
    await join(nc, {
      ...{ run, params: network, optimizer, name: part.name, signal: part.signal },
      step({ rows, round, replica, step }) {
        if (step === 0) part.onTask?.(round, replica);
        rows.forEach((row, i) => {
          x.set(images.subarray(row * PIXELS, (row + 1) * PIXELS), i * PIXELS);
          y[i] = labels[row];
        });
        const loss = network.trainBatch(x, y);
        optimizer.step();
        return loss;
      },
    });
  } finally {
    optimizer.dispose();
    network.dispose();
  }
}
