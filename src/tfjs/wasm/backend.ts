// The wasm backend of TensorFlow.js, and the kernels that run on its memory.
import { compile, compileShared } from "#tfjs-binary";
import { type DataType, type TensorInfo, getKernel, util } from "@tensorflow/tfjs-core";
import type { TfjsKernels } from "../../wasm/generated/tfjs-kernels.js";

/** The backend's name in TensorFlow.js. */
export const BACKEND = "wasm";

/** What is used of the object that TensorFlow.js calls its backend. None of it is documented. */
interface Internals {
  readonly wasm: {
    readonly _malloc: (bytes: number) => number;
    readonly _free: (address: number) => void;
    readonly HEAPU8: Uint8Array;
    /** In the build with threads. */
    readonly wasmMemory?: WebAssembly.Memory;
    /** In the others. */
    readonly asm?: { readonly memory?: WebAssembly.Memory };
  };
  readonly dataIdMap: { get: (dataId: object) => { readonly memoryOffset: number } };
  incRef: (dataId: object) => void;
  makeOutput: (shape: readonly number[], dtype: DataType, address?: number, values?: Float32Array) => TensorInfo;
  disposeData: (dataId: object) => void;
}

/** A wasm backend. Whatever allocates may grow the memory, so a view is made when it is needed and not kept. */
export class WasmBackend {
  readonly #internals: Internals;
  readonly #memory: WebAssembly.Memory;
  readonly kernels: TfjsKernels;
  /** Whether threads share the memory. */
  readonly isShared: boolean;

  /** @throws unless the internals are as expected. */
  constructor(backend: unknown) {
    this.#internals = backend as Internals;
    const { wasm } = this.#internals;
    const memory = wasm.wasmMemory ?? wasm.asm?.memory;
    if (memory?.buffer !== wasm.HEAPU8.buffer) throw new Error("no memory");
    this.#memory = memory;
    this.isShared = Object.prototype.toString.call(memory.buffer) === "[object SharedArrayBuffer]";
    const module = this.isShared ? compileShared() : compile();
    this.kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as TfjsKernels;
    const probe = this.#internals.makeOutput([1], "float32", undefined, Float32Array.of(Math.PI));
    const [value] = new Float32Array(memory.buffer, this.address(probe), 1);
    this.share(probe);
    this.dispose(probe);
    this.dispose(probe);
    this.scratch(4, (address) => this.ints(address, 1).fill(0));
    if (value !== Math.fround(Math.PI)) throw new Error("tensors lie elsewhere");
  }

  /** Where a tensor's elements lie. */
  address({ dataId }: TensorInfo): number {
    return this.#internals.dataIdMap.get(dataId).memoryOffset;
  }

  /** A new tensor, whose elements `fill` writes, given their address. If it throws, there is no tensor. */
  output(shape: readonly number[], dtype: DataType, fill: (address: number) => void): TensorInfo {
    const tensor = this.#internals.makeOutput(shape, dtype);
    return this.changed(tensor, fill);
  }

  /** A tensor that `change` has changed, given its address. It is disposed of if that throws. */
  changed(tensor: TensorInfo, change: (address: number) => void): TensorInfo {
    try {
      change(this.address(tensor));
      return tensor;
    } catch (error) {
      this.dispose(tensor);
      throw error;
    }
  }

  /** A tensor of the same elements. */
  share({ dataId, shape, dtype }: TensorInfo): TensorInfo {
    this.#internals.incRef(dataId);
    return { dataId, shape, dtype };
  }

  /** A new tensor of zeros. */
  zeros(shape: readonly number[]): TensorInfo {
    return this.output(shape, "float32", (address) => {
      this.floats(address, util.sizeFromShape([...shape])).fill(0);
    });
  }

  /** A view of int32 numbers. */
  ints(address: number, length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, address, length);
  }

  /** A view of float32 numbers. */
  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, address, length);
  }

  /** Calls `use` with the address of so many bytes of scratch, which are free afterwards. */
  scratch<T>(bytes: number, use: (address: number) => T): T {
    const { wasm } = this.#internals;
    const address = wasm._malloc(bytes) >>> 0;
    try {
      return use(address);
    } finally {
      wasm._free(address);
    }
  }

  /** Runs the backend's kernel of that name. */
  run(kernelName: string, inputs: Readonly<Record<string, TensorInfo>>, attrs: object = {}): TensorInfo {
    const kernel = getKernel(kernelName, BACKEND);
    return kernel.kernelFunc({ inputs, backend: this.#internals, attrs: { ...attrs } }) as TensorInfo;
  }

  /** Calls `use` with a tensor of `dtype`: the tensor itself, or a copy that is disposed of afterwards. */
  cast<T>(tensor: TensorInfo, dtype: DataType, use: (tensor: TensorInfo) => T): T {
    return tensor.dtype === dtype ? use(tensor) : this.using(this.run("Cast", { x: tensor }, { dtype }), use);
  }

  /** Calls `use` with a tensor that is disposed of afterwards. */
  using<T>(tensor: TensorInfo, use: (tensor: TensorInfo) => T): T {
    try {
      return use(tensor);
    } finally {
      this.dispose(tensor);
    }
  }

  dispose({ dataId }: TensorInfo): void {
    this.#internals.disposeData(dataId);
  }
}

const backends = new WeakMap<object, WasmBackend | Error>();

/** The backend that a kernel is called with. Undefined if its internals are not as expected. */
export function wasmBackend(backend: object): WasmBackend | undefined {
  let known = backends.get(backend);
  if (known === undefined) {
    try {
      known = new WasmBackend(backend);
    } catch (error) {
      known = error as Error;
    }
    backends.set(backend, known);
  }
  return known instanceof WasmBackend ? known : undefined;
}
