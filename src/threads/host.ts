// Workers as the platform has them: worker threads in Node, Bun and Deno, Web Workers in browsers.
import type { Message } from "./messages.js";

/** A worker as its pool sees it. */
export interface WorkerThread {
  post(message: Message): void;
  /** Called with what a worker that starts says, and with why one has ended. */
  listen(started: () => void, ended: (reason: string) => void): void;
  /** Lets the process exit while the worker lives, where that is a question. */
  release(): void;
  end(): Promise<void>;
}

/** The pool as a worker sees it. */
export interface Parent {
  post(message: "ready"): void;
  listen(receive: (message: Message) => void): void;
}

interface NodeWorker {
  postMessage(message: unknown): void;
  on(event: "message" | "error" | "exit", listener: (value: unknown) => void): void;
  unref(): void;
  terminate(): Promise<unknown>;
}
interface NodeThreads {
  readonly Worker: new (url: URL, options: object) => NodeWorker;
  readonly parentPort: Pick<NodeWorker, "postMessage" | "on"> | null;
}
interface Scope {
  readonly Worker?: unknown;
  readonly process?: { getBuiltinModule?(name: string): unknown };
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly crossOriginIsolated?: boolean;
}
const scope = globalThis as unknown as Scope;

function nodeThreads(): NodeThreads | undefined {
  return scope.process?.getBuiltinModule?.("node:worker_threads") as NodeThreads | undefined;
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
      worker.on("message", started);
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
      worker.addEventListener("message", started);
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

/** The pool, in a worker. */
export function parent(): Parent {
  const port = nodeThreads()?.parentPort;
  if (port)
    return {
      post: (message) => port.postMessage(message),
      listen: (receive) => port.on("message", (message) => receive(message as Message)),
    };
  return {
    post: (message) => globalThis.postMessage(message),
    listen: (receive) => globalThis.addEventListener("message", (event) => receive(event.data as Message)),
  };
}
