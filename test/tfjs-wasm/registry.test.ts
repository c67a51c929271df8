// Import, restore, and what stays as it is: the registry of TensorFlow.js with gradstep/tfjs/wasm in it.
import "../tfjs/setup.js";
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { registerKernels, restoreKernels } from "../../src/tfjs/wasm/index.js";
import { wasmBackend } from "../../src/tfjs/wasm/backend.js";

const MISSING = ["Conv2DBackpropFilter", "DepthwiseConv2dNativeBackpropFilter", "DepthwiseConv2dNativeBackpropInput"];
const LACKED = [...MISSING, "Einsum", "UnsortedSegmentSum"];
const registered = (): Map<string, tf.KernelConfig> =>
  new Map(tf.getKernelsForBackend("wasm").map((config) => [config.kernelName, config]));

beforeAll(() => tf.setBackend("wasm"));
afterAll(restoreKernels);

test("restoreKernels puts back exactly what was there", () => {
  restoreKernels();
  const before = registered();
  registerKernels();
  const during = registered();
  expect([...during.keys()].filter((name) => !before.has(name)).sort()).toEqual(LACKED.sort());
  expect(during.get("BatchMatMul")).not.toBe(before.get("BatchMatMul"));
  expect(tf.getGradient("Einsum")).toBeDefined();
  restoreKernels();
  const after = registered();
  expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
  for (const [name, config] of after) expect(config, name).toBe(before.get(name));
  expect(tf.getGradient("Einsum")).toBeUndefined();
});

test("registering twice changes nothing, and warns of nothing", () => {
  const warn = vi.spyOn(console, "warn");
  registerKernels();
  const once = registered();
  registerKernels();
  for (const [name, config] of registered()) expect(config, name).toBe(once.get(name));
  restoreKernels();
  restoreKernels();
  expect(registered().has("Einsum")).toBe(false);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});

test("the wrong _FusedMatMul of TensorFlow.js is right", () => {
  registerKernels();
  const bias = tf.tensor1d([1000, 2000, 3000]);
  const product = tf.fused.matMul({ a: tf.ones([2, 100]), b: tf.ones([3, 100]), transposeB: true, bias });
  expect(Array.from(product.dataSync())).toEqual([1100, 2100, 3100, 1100, 2100, 3100]);
});

test("kernels that are imported later are replaced when the backend is set", async () => {
  restoreKernels();
  const own = tf.getKernel("BatchMatMul", "wasm");
  tf.unregisterKernel("BatchMatMul", "wasm");
  registerKernels();
  expect(registered().has("BatchMatMul")).toBe(false);
  tf.registerKernel(own);
  await tf.setBackend("cpu");
  await tf.setBackend("wasm");
  expect(tf.getKernel("BatchMatMul", "wasm")).not.toBe(own);
});

test("a kernel that a later version has is left alone", () => {
  restoreKernels();
  const later = { kernelName: "Einsum", backendName: "wasm", kernelFunc: () => [] };
  tf.registerKernel(later);
  registerKernels();
  expect(tf.getKernel("Einsum", "wasm")).toBe(later);
  restoreKernels();
  tf.unregisterKernel("Einsum", "wasm");
});

test.each([
  ["no memory", { wasm: { _malloc: () => 0, _free: () => undefined, HEAPU8: new Uint8Array(8) } }],
  ["no allocator", { wasm: {} }],
  ["nothing", {}],
])("a backend with %s keeps its kernels, and one warning says so", (_, internals) => {
  registerKernels();
  const setup = tf.getKernel("BatchMatMul", "wasm").setupFunc as (backend: object) => void;
  const { [Symbol.for("gradstep/tfjs/wasm")]: own } = tf.getKernel("BatchMatMul", "wasm") as unknown as Record<
    symbol,
    tf.KernelConfig
  >;
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const backend = { ...internals };
  vi.spyOn(own, "setupFunc").mockImplementation(() => undefined);
  setup(backend);
  setup(backend);
  expect(warn.mock.calls).toEqual([[expect.stringContaining(tf.version.tfjs)]]);
  expect(wasmBackend(backend)).toBeUndefined();
  expect(tf.getKernel("BatchMatMul", "wasm")).toBe(own);
  vi.restoreAllMocks();
});

test("a new backend has its own kernels", async () => {
  registerKernels();
  const product = (): number[] => Array.from(tf.matMul(tf.ones([3, 5]), tf.ones([2, 5]), false, true).dataSync());
  const factory = tf.engine().registryFactory.wasm;
  expect(product()).toEqual(Array(6).fill(5));
  tf.removeBackend("wasm");
  tf.registerBackend("wasm", factory.factory, factory.priority);
  await tf.setBackend("wasm");
  expect(product()).toEqual(Array(6).fill(5));
});

test("scratch is freed if a kernel throws, and the result too", () => {
  registerKernels();
  const wasm = wasmBackend(tf.backend())!;
  const sizes = (): number => wasm.scratch(1 << 20, (address) => address);
  const [before, tensors] = [sizes(), tf.memory().numTensors];
  const fail = (): never => {
    throw new Error("on purpose");
  };
  for (let i = 0; i < 5; i++) {
    expect(() => wasm.scratch(1 << 20, fail)).toThrow("on purpose");
    expect(() => wasm.output([1 << 18], "float32", fail)).toThrow("on purpose");
  }
  expect(sizes()).toBe(before);
  expect(tf.memory().numTensors).toBe(tensors);
});

test.each([
  ["matMul", () => tf.matMul(tf.ones([2, 3]), tf.ones([4, 3]))],
  ["gather", () => tf.gather(tf.ones([3, 2]), tf.tensor1d([0, 3], "int32"))],
  ["einsum", () => tf.einsum("ij,jk->ik", tf.ones([2, 3]), tf.ones([4, 3]))],
])("%s of what does not fit throws, and the next call works", (_, call) => {
  registerKernels();
  expect(call).toThrow();
  expect(Array.from(tf.einsum("ij,jk->ik", tf.ones([1, 3]), tf.ones([3, 1])).dataSync())).toEqual([3]);
});

test("the script finds TensorFlow.js as a global, and is the same for it", () => {
  restoreKernels();
  const context = { tf, WebAssembly, console, Uint8Array, Float32Array, Int32Array };
  const code = readFileSync(new URL("../../dist/standalone/tfjs-wasm.js", import.meta.url), "utf8");
  const { registerKernels: again, restoreKernels: restore } = runInNewContext(`${code}\ngradstepTfjsWasm`, context) as {
    registerKernels: () => void;
    restoreKernels: () => void;
  };
  expect(registered().has("Einsum")).toBe(true);
  again();
  expect(Array.from(tf.einsum("ij,jk->ik", tf.ones([1, 3]), tf.ones([3, 1])).dataSync())).toEqual([3]);
  restore();
  expect(registered().has("Einsum")).toBe(false);
});
