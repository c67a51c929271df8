// Starts workers on each platform: worker threads in Node, Bun and Deno, Web Workers in browsers. Workers do not import this
// file, so a bundler leaves it in the file next to the worker's script.
import type { Message } from "./messages.js";
import { type NodeWorker, nodeThreads, scope } from "./platform.js";

/** The pool's side of the messages between it and a worker. */
export interface WorkerThread {
  post(message: Message): void;
  /** `started` is called when the worker has started, `ended` with the reason when it has ended. */
  listen(started: () => void, ended: (reason: string) => void): void;
  /** Lets the process exit while the worker lives; for Node. */
  release(): void;
  end(): Promise<void>;
}

/** Number of processors that the platform reports. */
export function processors(): number {
  const os = scope.process?.getBuiltinModule?.("node:os") as { availableParallelism(): number } | undefined;
  return os?.availableParallelism() ?? scope.navigator?.hardwareConcurrency ?? 1;
}

/** Why threads are impossible here, undefined if they are possible. */
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

/** A constant, so that bundlers do not take it for an asset to copy. */
const SCRIPT = "./worker.js";

/** Starts a worker with the given script, by default that of this package. */
export function startWorker(script: string | undefined): WorkerThread {
  const node = nodeThreads();
  if (node !== undefined) {
    const url = script === undefined ? new URL(SCRIPT, import.meta.url) : new URL(script);
    return ofNode(new node.Worker(url, { execArgv: [], name: "gradstep" }));
  }
  return ofWeb(
    script === undefined
      ? new Worker(new URL("./worker.js", import.meta.url), { type: "module" }) // bundlers look for exactly this expression
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
