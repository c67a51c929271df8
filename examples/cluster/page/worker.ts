// A worker of the cluster in a tab: off the page's thread, so that a page in the background is not slowed down.
import { type NatsConnection, wsconnect } from "@nats-io/nats-core";
import { askSetup, patient } from "../settings.ts";
import { type Images, work } from "../task.ts";
import type { Reply, Request } from "./messages.ts";

/** Bytes in front of the data, in MNIST's files. */
const HEADERS = { images: 16, labels: 8 };

const reply = (message: Reply): void => postMessage(message);
let nc: NatsConnection | undefined;
let images: Images | undefined;

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  run(data).catch((error: unknown) => {
    reply({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  });
});

/** Works for the run that there is, until it ends. */
async function run({ server, name }: Request): Promise<void> {
  reply({ kind: "fetching" });
  images ??= { images: await fetchBytes("images"), labels: await fetchBytes("labels") };
  reply({ kind: "connecting" });
  nc ??= await wsconnect({ ...patient, servers: server, name });
  const setup = await askSetup(nc);
  reply({ kind: "joined", run: setup.run });
  await work(nc, setup, images, { name });
  reply({ kind: "ended" });
}

async function fetchBytes(what: keyof typeof HEADERS): Promise<Uint8Array> {
  const response = await fetch(new URL(`/data/train-${what}`, location.origin));
  if (!response.ok) throw new Error(`cannot fetch the ${what}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer(), HEADERS[what]);
}
