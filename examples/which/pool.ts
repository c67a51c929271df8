// Divides runs among processes, each of which trains one after the other.
import { fork } from "node:child_process";
import type { Run, Score } from "./train.ts";

/** Trains one run at a time. */
export interface Worker {
  train(run: Run): Promise<Score>;
  stop(): void;
}

/**
 * Trains all runs on `count` workers, and tells `finished` of each as it ends.
 * @throws what the first worker that fails throws; the others are stopped then.
 */
export async function trainAll(
  runs: readonly Run[],
  count: number,
  start: () => Worker,
  finished: (run: Run, score: Score) => void,
): Promise<void> {
  const queue = [...runs];
  const workers = Array.from({ length: Math.min(count, queue.length) }, start);
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (let run = queue.shift(); run !== undefined; run = queue.shift()) finished(run, await worker.train(run));
      }),
    );
  } finally {
    for (const worker of workers) worker.stop();
  }
}

/** A worker in a process of its own. */
export function startProcess(): Worker {
  const child = fork(new URL("worker.ts", import.meta.url));
  return {
    train: (run) =>
      new Promise((settle, fail) => {
        const died = (code: number | null, signal: string | null): void => {
          fail(new Error(`the process that trained ${JSON.stringify(run)} ended with ${code ?? signal}`));
        };
        child.once("exit", died);
        child.once("message", ({ score }: { score: Score }) => {
          child.off("exit", died);
          settle(score);
        });
        child.send(run);
      }),
    stop: () => child.kill(),
  };
}
