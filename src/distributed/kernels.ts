// The kernels of distributed training over a memory of their own: delta.wasm, compiled when a first run needs it.
import { compile } from "#delta-binary";
import type { DeltaKernels } from "../wasm/generated/delta-kernels.js";

let compiled: WebAssembly.Module | undefined;

/** Kernels, and the memory of `bytes` bytes that they work on. */
export function deltaKernels(bytes: number): { kernels: DeltaKernels; buffer: ArrayBuffer } {
  const pages = Math.ceil(bytes / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance((compiled ??= compile()), { env: { memory } });
  return { kernels: exports as unknown as DeltaKernels, buffer: memory.buffer };
}
