// npm run cluster -- join: workers for a cluster that runs elsewhere.
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@nats-io/transport-node";
import { UserError } from "../command/errors.ts";
import { launchWorker } from "./cluster.ts";
import { type Listener, Part } from "./part.ts";
import type { WorkerMessage } from "./state.ts";

/** Works for a cluster elsewhere, until its run ends. */
export async function runWorkers(server: string, count: number): Promise<void> {
  try {
    await (await connect({ servers: server, timeout: 5000, reconnect: false })).close();
  } catch (error) {
    throw new UserError(`cannot connect to ${server}: ${(error as Error).message}`, 1);
  }
  let tasks = 0;
  let failure: string | undefined;
  const machine = hostname()
    .replace(/[^\w-]/g, "-")
    .slice(0, 40);
  const listener: Listener = {
    message({ name }, message: WorkerMessage) {
      if (message.kind === "joined") console.log(`${name} works for ${message.run}`);
      else tasks++;
    },
    changed(part, said) {
      if (part.state.status !== "failed" && part.state.status !== "killed") return;
      console.log(`${part.name} ${part.state.status}${said === undefined ? "" : `: ${said}`}`);
      failure = said ?? failure;
    },
  };
  const parts = Array.from({ length: Math.max(1, count) }, (_, i) => {
    const name = `${machine}-${process.pid}-${i + 1}`;
    return new Part(name, "worker", () => launchWorker(server, name), listener);
  });
  process.on("exit", () => parts.forEach((part) => part.killNow()));
  for (const part of parts) part.start();
  let told = 0;
  for (let i = 0; parts.some(({ isRunning }) => isRunning); i++) {
    await sleep(500);
    if (i % 10 === 9 && tasks > told) console.log(`${tasks} tasks`);
    if (i % 10 === 9) told = tasks;
  }
  if (failure !== undefined) throw new UserError(failure, 1);
  console.log(`the run has ended; ${tasks} tasks were done here`);
}
