// A worker of a run in a browser's Web Worker: /worker.js#<url of the server> <run> <name>. Posts what it has done.
import { wsconnect } from "@nats-io/nats-core";
import { join } from "../../src/distributed/index.js";
import { workerOptions } from "./training.js";

async function main(): Promise<string> {
  const [url, run, name] = decodeURIComponent(location.hash.slice(1)).split(" ");
  const nc = await wsconnect({ servers: url, maxReconnectAttempts: -1 });
  const done = await join(nc, workerOptions(run, { name }, 20).options);
  await nc.close();
  return `${name} ${done}`;
}

main().then(
  (text) => postMessage(text),
  (error: unknown) => postMessage(String(error)),
);
