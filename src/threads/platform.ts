// Types of what runtimes have in common: Node's worker threads, and the global scope.
export interface NodeWorker {
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
export const scope = globalThis as unknown as Scope;

/** Node's `worker_threads`, which Bun and Deno have too. */
export function nodeThreads(): NodeThreads | undefined {
  return scope.process?.getBuiltinModule?.("node:worker_threads") as NodeThreads | undefined;
}
