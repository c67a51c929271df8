// In a page: trains every model on the build of the wasm backend that the address asks for, and leaves the result in `result`.
import * as tf from "@tensorflow/tfjs";
import { losses, models } from "../models.ts";

/** What a page has done. */
export interface Result {
  readonly losses?: Readonly<Record<string, readonly number[]>>;
  /** Whether the backend's memory is shared by threads, and whether the browser has such memories. */
  readonly shared?: boolean;
  readonly canShare?: boolean;
  readonly error?: string;
}

async function train(): Promise<Result> {
  const query = new URLSearchParams(location.search);
  tf.env().set("WASM_HAS_SIMD_SUPPORT", query.has("simd"));
  const canShare = typeof SharedArrayBuffer !== "undefined"; // WebKitGTK has none
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", query.has("threads") && canShare);
  if (!(await tf.setBackend("wasm"))) return { error: "no backend" };
  const { buffer } = (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8;
  const all: Record<string, readonly number[]> = {};
  for (const name of Object.keys(models)) all[name] = await losses(name);
  return { losses: all, shared: Object.prototype.toString.call(buffer) === "[object SharedArrayBuffer]", canShare };
}

/** Begins, after what imports this has set where the backend's binaries are. */
export function begin(): void {
  const page = globalThis as { result?: Result };
  train().then(
    (result) => (page.result = result),
    (error: unknown) => (page.result = { error: String(error) }),
  );
}
