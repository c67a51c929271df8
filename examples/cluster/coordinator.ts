// The process of the coordinator. It tells its parent what happens, and ends when that is gone.
import { createHash } from "node:crypto";
import { connect } from "@nats-io/transport-node";
import { SGD } from "gradstep";
import { coordinate } from "gradstep/distributed";
import { mnistDirectory, readDataset } from "../mnist/idx.ts";
import { type RunSettings, SETUP, type Setup, patient } from "./settings.ts";
import type { CoordinatorMessage } from "./state.ts";
import { PIXELS, SAMPLES, makeNetwork } from "./task.ts";

/** Between two looks at the accuracy, milliseconds, and test images of one. */
const LOOK = 1000;
const GLIMPSE = 2000;

const [server, text] = process.argv.slice(2);
const { checkpoint, replicas, localSteps, rounds, ...setup } = JSON.parse(text) as RunSettings;
const tell = (message: CoordinatorMessage): void => void process.send?.(message);
process.once("disconnect", () => process.exit());

const { test } = readDataset(mnistDirectory());
const network = makeNetwork(setup);
const optimizer = new SGD(network.params, { lr: 0.7, momentum: 0.9, nesterov: true });

const glimpse = evenly(GLIMPSE);
const accuracyOn = ({ x, y }: { x: Uint8Array; y: Uint8Array }): number => network.evaluate(x, y).accuracy;

/** Test images from all over the set: of MNIST's, the first half is the harder one. */
function evenly(count: number): { x: Uint8Array; y: Uint8Array } {
  const x = new Uint8Array(count * PIXELS);
  const y = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const image = Math.floor((i * test.count) / count);
    x.set(test.images.subarray(image * PIXELS, (image + 1) * PIXELS), i * PIXELS);
    y[i] = test.labels[image];
  }
  return { x, y };
}

/** The SHA-256 of all parameters. */
function hash(): string {
  const sum = createHash("sha256");
  for (const name of network.params.names) sum.update(network.params.data[name]);
  return sum.digest("hex");
}

const nc = await connect({ ...patient, servers: server, name: "coordinator" });
nc.subscribe(SETUP, { callback: (_, message) => void message.respond(JSON.stringify(setup satisfies Setup)) });
process.on("message", () => nc.publish(`gs.${setup.run}.up.1.0.intruder`, "not an update"));

let looked = -Infinity;
let last = 0;
try {
  const run = coordinate(nc, {
    ...{ run: setup.run, params: network, optimizer, replicas, localSteps, rounds, checkpoint },
    ...{ batchSize: setup.batchSize, samples: SAMPLES, seed: setup.seed },
    inner: { rule: "SGD", options: { lr: setup.lr } },
  });
  for await (const progress of run) {
    const isDue = performance.now() - looked > LOOK || progress.round === rounds;
    tell({ kind: "round", ...progress, accuracy: isDue ? accuracyOn(glimpse) : undefined });
    if (isDue) looked = performance.now();
    last = progress.round;
  }
  tell({ kind: "end", round: last, sha: hash(), accuracy: accuracyOn({ x: test.images, y: test.labels }) });
} catch (error) {
  tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}
await nc.close();
process.disconnect();
