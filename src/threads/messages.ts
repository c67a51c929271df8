/** The messages that the pool sends to a worker. */
export type Message =
  | {
      readonly kind: "start";
      readonly words: Int32Array<ArrayBuffer>;
      readonly module: WebAssembly.Module;
      readonly thread: number;
      readonly threads: number;
      /** Milliseconds that it waits for more work before it sleeps. */
      readonly spin: number;
    }
  | { readonly kind: "memory"; readonly id: number; readonly memory: WebAssembly.Memory }
  | { readonly kind: "load"; readonly id: number; readonly binary: WebAssembly.Module }
  | { readonly kind: "drop"; readonly id: number };
