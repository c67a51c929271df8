// BatchMatMul and _FusedMatMul.
import { type TensorInfo, broadcast_util, util } from "@tensorflow/tfjs-core";
import { PRODUCT_BYTES } from "../../wasm/generated/layout/products.js";
import type { WasmBackend } from "./backend.js";
import type { Arguments, Kernel } from "./kernel.js";

/** The activations of fused products, by the numbers that assembly/tfjs/finish.ts knows them by. */
const ACTIVATIONS = ["linear", "relu", "relu6", "prelu", "leakyrelu", "sigmoid", "elu"];

/** The sizes of a product of batches of matrices. */
interface Product {
  readonly shape: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly aByRows: boolean;
  readonly bByRows: boolean;
}

/** Undefined for what the kernel that was there takes or refuses. */
function productOf(a: TensorInfo, b: TensorInfo, transposeA: boolean, transposeB: boolean): Product | undefined {
  if (a.dtype !== "float32" || b.dtype !== "float32" || a.shape.length < 2 || b.shape.length < 2) return undefined;
  const [aRows, aColumns] = a.shape.slice(-2);
  const [bRows, bColumns] = b.shape.slice(-2);
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [kOfB, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== kOfB) return undefined;
  const batch = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return { shape: [...batch, m, n], m, n, k, aByRows: !transposeA, bByRows: transposeB };
}

/**
 * Whether the backend's kernel is the faster one: it keeps the packed right operand of one plain product, which pays for a
 * single row, and has threads in its build for them.
 */
function isFastThere(wasm: WasmBackend, { shape, m, n, k, aByRows, bByRows }: Product): boolean {
  if (!aByRows || bByRows || m * n * k === 0) return false;
  return (m === 1 || wasm.isShared) && util.sizeFromShape(shape.slice(0, -2)) === 1;
}

/** The product of two tensors, of which one may have to be repeated for the batches of the other. */
export function multiply(wasm: WasmBackend, a: TensorInfo, b: TensorInfo, product: Product): TensorInfo {
  const { shape, m, n, k, aByRows, bByRows } = product;
  if (util.sizeFromShape([...shape]) === 0 || k === 0) return wasm.zeros(shape);

  const batch = shape.slice(0, -2);
  const count = util.sizeFromShape(batch);
  const [aCount, bCount] = [a, b].map((tensor) => util.sizeFromShape(tensor.shape.slice(0, -2)));

  const compute = (times: number, rows: number, aFrom: number, bFrom: number, cTo: number, scratch: number): void => {
    const [aStep, bStep] = [aCount === 1 ? 0 : 4 * m * k, bCount === 1 ? 0 : 4 * k * n];
    wasm.kernels.batchProduct(times, rows, n, k, aByRows, bByRows, aFrom, aStep, bFrom, bStep, cTo, scratch);
  };
  return wasm.output(shape, "float32", (to) => {
    const [aAt, bAt] = [a, b].map((tensor) => wasm.address(tensor));
    wasm.scratch(PRODUCT_BYTES, (scratch) => {
      if (aCount === count && bCount === 1 && aByRows) compute(1, count * m, aAt, bAt, to, scratch);
      else if ([1, count].includes(aCount) && [1, count].includes(bCount)) compute(count, m, aAt, bAt, to, scratch);
      else {
        const [aIndex, bIndex] = [a, b].map((tensor) => indices(tensor.shape.slice(0, -2), batch));
        for (let i = 0; i < count; i++)
          compute(1, m, aAt + 4 * m * k * aIndex[i], bAt + 4 * k * n * bIndex[i], to + 4 * m * n * i, scratch);
      }
    });
  });
}

/** For each element of a tensor of the shape `whole`, in order, the index of what `shape` broadcasts to it. */
function indices(shape: readonly number[], whole: readonly number[]): number[] {
  const missing = whole.length - shape.length;
  let [list, step] = [[0], 1];
  const strides = whole.map(() => 0);
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] > 1) strides[missing + i] = step;
    step *= shape[i];
  }
  whole.forEach((size, i) => {
    list = list.flatMap((index) => Array.from({ length: size }, (_, k) => index + k * strides[i]));
  });
  return list;
}

function batchMatMul({ inputs: { a, b }, attrs }: Arguments, wasm: WasmBackend): TensorInfo | undefined {
  const product = productOf(a, b, Boolean(attrs.transposeA), Boolean(attrs.transposeB));
  if (product === undefined || isFastThere(wasm, product)) return undefined;
  return multiply(wasm, a, b, product);
}

function fusedMatMul({ inputs, attrs }: Arguments, wasm: WasmBackend): TensorInfo | undefined {
  const { a, b } = inputs;
  const { bias, preluActivationWeights: slopes } = inputs as Partial<typeof inputs>;
  const activation = ACTIVATIONS.indexOf(attrs.activation as string);
  const product = productOf(a, b, Boolean(attrs.transposeA), Boolean(attrs.transposeB));
  if (product === undefined || activation < 0) return undefined;
  const { shape, n } = product;
  if (![bias, slopes].every((tensor) => isBroadcast(tensor, shape))) return undefined;
  if (ACTIVATIONS[activation] === "prelu" && slopes === undefined) return undefined;
  if (isFastThere(wasm, product) && slopes === undefined && (bias?.shape ?? [n]).join() === String(n)) return undefined;
  const c = multiply(wasm, a, b, product);
  if (util.sizeFromShape([...shape]) === 0 || (bias === undefined && activation === 0)) return c;
  return wasm.changed(c, (to) => {
    withRows(wasm, bias, shape, (biasAt, biasStep) => {
      withRows(wasm, slopes, shape, (slopesAt, slopesStep) => {
        const rows = util.sizeFromShape(shape.slice(0, -1));
        const alpha = Number(attrs.leakyreluAlpha);
        wasm.kernels.finish(rows, n, activation, alpha, biasAt, biasStep, slopesAt, slopesStep, to);
      });
    });
  });
}

/** Whether a tensor is float32 and its shape is broadcast to `whole`, or there is none. */
function isBroadcast(tensor: TensorInfo | undefined, whole: readonly number[]): boolean {
  if (tensor === undefined) return true;
  const { dtype, shape } = tensor;
  const extra = whole.length - shape.length;
  return dtype === "float32" && extra >= 0 && shape.every((size, i) => size === 1 || size === whole[extra + i]);
}

/**
 * Calls `use` with a tensor's address as it is broadcast to rows of a tensor of the shape `whole`, and the bytes from one row
 * to the next. No tensor is at address 0.
 */
function withRows(
  wasm: WasmBackend,
  tensor: TensorInfo | undefined,
  whole: readonly number[],
  use: (address: number, step: number) => void,
): void {
  if (tensor === undefined) {
    use(0, 0);
    return;
  }
  const n = whole[whole.length - 1];
  const size = util.sizeFromShape(tensor.shape);
  if (size === n && tensor.shape.at(-1) === n) use(wasm.address(tensor), 0);
  else if (size === util.sizeFromShape([...whole])) use(wasm.address(tensor), 4 * n);
  else {
    const shape = [...whole.slice(tensor.shape.length).map(() => 1), ...tensor.shape];
    const reps = whole.map((length, i) => length / shape[i]);
    wasm.using(wasm.run("Tile", { x: { ...tensor, shape } }, { reps }), (tiled) => {
      use(wasm.address(tiled), 4 * n);
    });
  }
}

export const products: readonly Kernel[] = [
  { name: "BatchMatMul", missing: false, run: batchMatMul },
  { name: "_FusedMatMul", missing: false, run: fusedMatMul },
];
