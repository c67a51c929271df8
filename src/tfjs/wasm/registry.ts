// Puts the kernels into TensorFlow.js's registry, and takes them out again.
//
// The registry may not yet have the backend's own kernels, if that is imported later: what replaces one of them is then put in
// when the backend is set, since TensorFlow.js calls the `setupFunc` of every registered kernel.
import {
  type KernelConfig,
  engine,
  getGradient,
  getKernel,
  getKernelsForBackend,
  registerGradient,
  registerKernel,
  unregisterGradient,
  unregisterKernel,
  version_core,
} from "@tensorflow/tfjs-core";
import { BACKEND, wasmBackend } from "./backend.js";
import { convolutions } from "./convolution.js";
import { depthwiseConvolutions } from "./depthwise.js";
import { einsumGradient, einsums } from "./einsum.js";
import type { Arguments, Kernel } from "./kernel.js";
import { functions } from "./functions.js";
import { gathers } from "./gather.js";
import { identities } from "./identity.js";
import { maxPooling } from "./max-pool.js";
import { products } from "./products.js";
import { segmentSums } from "./segment-sum.js";
import { sums } from "./sum.js";
import { tiles } from "./tile.js";
import { volumes } from "./volumes.js";

/** A config of ours has what was there before under this symbol; another copy of this module finds it there too. */
const REPLACED = Symbol.for("gradstep/tfjs/wasm");
type Ours = KernelConfig & { readonly [REPLACED]: KernelConfig | undefined };

const kernels = [
  convolutions,
  depthwiseConvolutions,
  einsums,
  functions,
  gathers,
  identities,
  maxPooling,
  products,
  segmentSums,
  sums,
  tiles,
  volumes,
].flat();

const isOurs = (config: object | undefined): config is Ours => config !== undefined && REPLACED in config;

/**
 * Registers what the wasm backend lacks, and replaces kernels of it that are slower. Importing the module has done that; call
 * it after {@link restoreKernels}.
 * @example
 * registerKernels();
 */
export function registerKernels(): void {
  const active = (engine() as { registry?: Record<string, object | undefined> }).registry?.[BACKEND];
  if (active !== undefined && !isUsable(active)) return;
  for (const kernel of kernels) {
    const there = getKernel(kernel.name, BACKEND) as KernelConfig | undefined;
    // A kernel that a later version has is left alone, as is one that ours replaces already.
    if (isOurs(there) || kernel.missing !== (there === undefined)) continue;
    put(configOf(kernel, there));
  }
  if ((getGradient("Einsum") as object | undefined) === undefined)
    registerGradient(Object.assign({ ...einsumGradient }, { [REPLACED]: undefined }));
}

/**
 * Takes all kernels of this module out again, and puts back those that they replaced. Tensors and models stay usable.
 * @example
 * restoreKernels();
 */
export function restoreKernels(): void {
  for (const config of getKernelsForBackend(BACKEND)) {
    if (!isOurs(config)) continue;
    unregisterKernel(config.kernelName, BACKEND);
    if (config[REPLACED] !== undefined) registerKernel(config[REPLACED]);
  }
  if (isOurs(getGradient("Einsum"))) unregisterGradient("Einsum");
}

/** Registers a config in the place of one that may be there. TensorFlow.js warns of a second one. */
function put(config: KernelConfig): void {
  if ((getKernel(config.kernelName, BACKEND) as object | undefined) !== undefined)
    unregisterKernel(config.kernelName, BACKEND);
  registerKernel(config);
}

function configOf({ name, run }: Kernel, replaced: KernelConfig | undefined): Ours {
  return {
    ...replaced,
    kernelName: name,
    backendName: BACKEND,
    [REPLACED]: replaced,
    setupFunc: (backend) => {
      replaced?.setupFunc?.(backend);
      if (isUsable(backend)) registerKernels();
      else restoreKernels();
    },
    kernelFunc: (args) => {
      const wasm = wasmBackend(args.backend);
      const result = wasm && run(args as unknown as Arguments, wasm);
      if (result !== undefined) return result;
      if (replaced === undefined) throw new Error(`gradstep/tfjs/wasm: "${name}" cannot be computed by this backend`);
      return replaced.kernelFunc(args);
    },
  };
}

/** Whether a backend is as expected; one warning says that it is not. */
function isUsable(backend: object): boolean {
  const usable = wasmBackend(backend) !== undefined;
  if (!usable && !warned.has(backend))
    console.warn(
      `gradstep/tfjs/wasm: the wasm backend of TensorFlow.js ${version_core} is not as expected: it keeps its own kernels`,
    );
  warned.add(backend);
  return usable;
}
const warned = new WeakSet();
