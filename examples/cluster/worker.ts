// The process of a worker. It tells its parent what it does, and ends when that is gone.
import { connect } from "@nats-io/transport-node";
import { mnistDirectory, readDataset } from "../mnist/idx.ts";
import { askSetup, patient } from "./settings.ts";
import type { WorkerMessage } from "./state.ts";
import { work } from "./task.ts";

const [server, name] = process.argv.slice(2);
const tell = (message: WorkerMessage): void => void process.send?.(message);
process.once("disconnect", () => process.exit());

const { train } = readDataset(mnistDirectory());
const nc = await connect({ ...patient, servers: server, name });
try {
  const setup = await askSetup(nc);
  tell({ kind: "joined", run: setup.run });
  await work(nc, setup, train, { name, onTask: (round, replica) => tell({ kind: "task", round, replica }) });
} catch (error) {
  tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}
await nc.close();
process.disconnect();
