// A coordinator or a worker as a process: actor.js <coordinator | worker> <url> <run> <JSON of settings>. A coordinator
// prints a line of JSON for each round, and at the end the hash of the parameters.
import { connect } from "@nats-io/transport-node";
import { coordinate, join } from "../../src/distributed/index.js";
import { hashOf } from "./hash.js";
import { coordinatorOptions, workerOptions } from "./training.js";

/** What tests tell an actor. */
export interface ActorSettings {
  readonly name?: string;
  readonly checkpoint?: string;
  readonly rounds?: number;
  readonly replicas?: number;
  /** Milliseconds that a task takes more. */
  readonly delay?: number;
}

async function main(): Promise<void> {
  const [role, url, run, text] = process.argv.slice(2);
  const { delay = 0, name, ...settings } = JSON.parse(text) as ActorSettings;
  const nc = await connect({
    servers: url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    waitOnFirstConnect: true,
  });
  if (role === "worker") {
    const { options } = workerOptions(run, name === undefined ? {} : { name }, delay);
    await join(nc, options);
  } else {
    const options = coordinatorOptions(run, settings);
    for await (const progress of coordinate(nc, options)) console.log(JSON.stringify(progress));
    console.log(JSON.stringify({ hash: hashOf(options.params as never) }));
  }
  await nc.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
