// Finds what is written beyond a buffer: the backend's allocator, with some bytes after each buffer that must stay as they are.
import * as tf from "@tensorflow/tfjs";

const BEYOND = 16;
const MARK = 0xa5;

interface Heap {
  _malloc: (bytes: number) => number;
  _free: (address: number) => void;
  readonly HEAPU8: Uint8Array;
}

/** Guards the active wasm backend; `overruns` has the sizes of the buffers that something was written behind. */
export function guarded(): { readonly overruns: number[]; restore(): void } {
  const heap = (tf.backend() as unknown as { wasm: Heap }).wasm;
  const { _malloc, _free } = heap;
  const sizes = new Map<number, number>();
  const overruns: number[] = [];
  heap._malloc = (bytes) => {
    const address = _malloc(bytes + BEYOND) >>> 0;
    heap.HEAPU8.fill(MARK, address + bytes, address + bytes + BEYOND);
    sizes.set(address, bytes);
    return address;
  };
  heap._free = (address) => {
    const bytes = sizes.get(address);
    if (bytes !== undefined) {
      const behind = heap.HEAPU8.subarray(address + bytes, address + bytes + BEYOND);
      if (behind.some((byte) => byte !== MARK)) overruns.push(bytes);
      sizes.delete(address);
    }
    _free(address);
  };
  return { overruns, restore: () => Object.assign(heap, { _malloc, _free }) };
}
