// Workers as the platform has them: worker threads in Node, Bun and Deno, Web Workers in browsers. Apart from what workers
// import, so that a bundler leaves it in the file beside which the worker's script is.
import type { Message } from "./messages.js";
import { type NodeWorker, nodeThreads, scope } from "./platform.js";

/** A worker as its pool sees it. */
export interface WorkerThread {
  post(message: Message): void;
  /** Called when a worker has started, and with why one has ended. */
  listen(started: () => void, ended: (reason: string) => void): void;
  /** Lets the process exit while the worker lives, where that is a question. */
  release(): void;
  end(): Promise<void>;
}

/** Processors that the platform tells of. */
export function processors(): number {
  const os = scope.process?.getBuiltinModule?.("node:os") as { availableParallelism(): number } | undefined;
  return os?.availableParallelism() ?? scope.navigator?.hardwareConcurrency ?? 1;
}

/** Why there can be no threads here; undefined when there can. */
export function obstacle(): string | undefined {
  if (scope.crossOriginIsolated === false || typeof SharedArrayBuffer === "undefined") return ISOLATION;
  if (scope.Worker === undefined && nodeThreads() === undefined) return "this runtime has no workers";
  return undefined;
}
const ISOLATION =
  "a shared memory needs cross-origin isolation: serve the page with the headers " +
  '"Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp"';

/** Whether this thread may sleep: a browser's main thread may not. */
export function canSleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

/** Not for bundlers, which would copy it as it is. */
const SCRIPT = "./worker.js";

/** Starts a worker, with the script of this package or another. */
export function startWorker(script: string | undefined): WorkerThread {
  const node = nodeThreads();
  if (node !== undefined) {
    const url = script === undefined ? new URL(SCRIPT, import.meta.url) : new URL(script);
    return ofNode(new node.Worker(url, { execArgv: [], name: "gradstep" }));
  }
  return ofWeb(
    script === undefined
      ? new Worker(new URL("./worker.js", import.meta.url), { type: "module" }) // as bundlers look for it, to the letter
      : new Worker(script, { type: "module" }),
  );
}

function ofNode(worker: NodeWorker): WorkerThread {
  return {
    post: (message) => worker.postMessage(message),
    listen(started, ended) {
      worker.on("message", (message) => message === "ready" && started());
      worker.on("error", (error) => ended(String(error)));
      worker.on("exit", () => ended("it ended"));
    },
    release: () => worker.unref(),
    end: async () => {
      await worker.terminate();
    },
  };
}

function ofWeb(worker: Worker): WorkerThread {
  return {
    post: (message) => worker.postMessage(message),
    listen(started, ended) {
      worker.addEventListener("message", ({ data }) => data === "ready" && started());
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        ended(event.message || "its script could not be loaded");
      });
    },
    release: () => undefined,
    end: () => {
      worker.terminate();
      return Promise.resolve();
    },
  };
}
