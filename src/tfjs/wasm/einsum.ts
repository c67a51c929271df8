// Einsum by transpositions and one product, and its gradient, which TensorFlow.js has for no backend.
import {
  type GradConfig,
  type NamedAttrMap,
  type Tensor,
  type TensorInfo,
  backend_util,
  broadcastTo,
  einsum as einsumOp,
  reshape,
} from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./backend.js";
import type { Arguments, Kernel } from "./kernel.js";
import { multiply } from "./products.js";

/** An axis is a number, by which the operands and the result know it. */
type Axes = readonly number[];

/** The operands' axes, and those of the result: 0 to `length` − 1. */
function decode(
  equation: string,
  tensors: readonly TensorInfo[],
): { operands: Axes[]; length: number; sizes: number[] } {
  const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(equation, tensors.length);
  backend_util.checkEinsumDimSizes(allDims.length, idDims, [...tensors] as Tensor[]);
  const sizes: number[] = [];
  idDims.forEach((axes, i) => axes.forEach((axis, place) => (sizes[axis] = tensors[i].shape[place])));
  return { operands: idDims, length: allDims.length - summedDims.length, sizes };
}

/** A tensor whose axes have names, and whether it is to be disposed of. */
class Operand {
  readonly #wasm: WasmBackend;
  axes: Axes;
  tensor: TensorInfo;
  #owned = false;

  constructor(wasm: WasmBackend, tensor: TensorInfo, axes: Axes) {
    this.#wasm = wasm;
    this.tensor = tensor;
    this.axes = axes;
  }

  #become(tensor: TensorInfo, axes: Axes): void {
    this.release();
    this.tensor = tensor;
    this.axes = axes;
    this.#owned = true;
  }

  release(): void {
    if (this.#owned) this.#wasm.dispose(this.tensor);
    this.#owned = false;
  }

  /** Converts to another type. */
  cast(dtype: TensorInfo["dtype"]): void {
    if (this.tensor.dtype !== dtype) this.#become(this.#wasm.run("Cast", { x: this.tensor }, { dtype }), this.axes);
  }

  /** Sums over axes. */
  sum(isSummed: (axis: number) => boolean): void {
    const axis = [...this.axes.keys()].filter((place) => isSummed(this.axes[place]));
    if (axis.length === 0) return;
    const sums = this.#wasm.run("Sum", { x: this.tensor }, { axis, keepDims: false });
    this.#become(
      sums,
      this.axes.filter((name) => !isSummed(name)),
    );
  }

  /** Puts the axes in an order. */
  arrange(axes: Axes): void {
    if (axes.every((axis, place) => axis === this.axes[place])) return;
    const perm = axes.map((axis) => this.axes.indexOf(axis));
    this.#become(this.#wasm.run("Transpose", { x: this.tensor }, { perm }), axes);
  }
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

function einsum({ inputs, attrs }: Arguments, wasm: WasmBackend): TensorInfo {
  const tensors = Object.values(inputs);
  const { operands, length, sizes } = decode(attrs.equation as string, tensors);
  const list = tensors.map((tensor, i) => new Operand(wasm, tensor, operands[i]));
  const inResult = (axis: number): boolean => axis < length;
  const result = sizes.slice(0, length);
  const order = [...result.keys()];
  try {
    const dtype = tensors.some((tensor) => tensor.dtype === "float32") ? "float32" : "int32";
    for (const operand of list) operand.cast(dtype);
    const [a, b] = list as [Operand, Operand?];
    for (const operand of list)
      operand.sum((axis) => !inResult(axis) && list.every((other) => other === operand || !other.axes.includes(axis)));
    if (b === undefined) {
      a.arrange(order);
      return wasm.share(a.tensor);
    }
    const summed = a.axes.filter((axis) => !inResult(axis));
    if (dtype === "int32" || summed.length === 0) return multiplyAndSum(wasm, a, b, sizes, length);
    const batch = order.filter((axis) => a.axes.includes(axis) && b.axes.includes(axis));
    const [aFree, bFree] = [a, b].map(({ axes }) => axes.filter((axis) => inResult(axis) && !batch.includes(axis)));
    // The one whose axes come last in the result is the second factor.
    const swapped = aFree.length > 0 && bFree.length > 0 && aFree.at(-1)! > bFree.at(-1)!;
    const [left, right] = swapped ? [b, a] : [a, b];
    const [rows, columns] = (swapped ? [bFree, aFree] : [aFree, bFree]).map((axes) => [...axes].sort((p, q) => p - q));
    const [leftFirst, rightFirst] = [left, right].map(({ axes }) => isArranged(axes, batch, summed));
    left.arrange(leftFirst ? left.axes : [...batch, ...rows, ...summed]);
    right.arrange(rightFirst ? right.axes : [...batch, ...columns, ...summed]);
    const [m, n, k, count] = [rows, columns, summed, batch].map((axes) => product(axes.map((axis) => sizes[axis])));
    const [aByRows, bByRows] = [!leftFirst, !rightFirst];
    const [leftShape, rightShape] = [aByRows ? [count, m, k] : [count, k, m], bByRows ? [count, n, k] : [count, k, n]];
    const sums = multiply(
      wasm,
      { ...left.tensor, shape: leftShape },
      { ...right.tensor, shape: rightShape },
      {
        ...{ shape: [count, m, n], m, n, k, aByRows, bByRows },
      },
    );
    return finish(wasm, sums, [...batch, ...rows, ...columns], sizes, order);
  } finally {
    for (const operand of list) operand.release();
  }
}

/** Whether the axes are those of the batch, then those of the sum, then others in order: the rows then are columns. */
function isArranged(axes: Axes, batch: Axes, summed: Axes): boolean {
  const first = [...batch, ...summed];
  return (
    axes.every((axis, place) => place >= first.length || axis === first[place]) &&
    axes.every((axis, place) => place <= first.length || axes[place - 1] < axis)
  );
}

/** Gives a tensor that was made here its shape, and its axes the order of the result. */
function finish(wasm: WasmBackend, tensor: TensorInfo, axes: Axes, sizes: Axes, order: Axes): TensorInfo {
  const shaped = { ...tensor, shape: axes.map((axis) => sizes[axis]) };
  if (axes.every((axis, place) => axis === order[place])) return shaped;
  const perm = order.map((axis) => axes.indexOf(axis));
  return wasm.using(shaped, (x) => wasm.run("Transpose", { x }, { perm }));
}

/** The elements' products over all axes, and their sums over those that the result lacks. */
function multiplyAndSum(wasm: WasmBackend, a: Operand, b: Operand, sizes: Axes, length: number): TensorInfo {
  for (const operand of [a, b]) operand.arrange([...operand.axes].sort((p, q) => p - q));
  const [x, y] = [a, b].map(({ tensor, axes }) => ({
    ...tensor,
    shape: sizes.flatMap((size, axis) => (axes.includes(axis) ? [size] : isThere(axis, a, b) ? [1] : [])),
  }));
  const products = wasm.run("Multiply", { a: x, b: y });
  const axis = Array.from({ length: products.shape.length - length }, (_, i) => length + i);
  if (axis.length === 0) return products;
  return wasm.using(products, (x) => wasm.run("Sum", { x }, { axis, keepDims: false }));
}

const isThere = (axis: number, a: Operand, b: Operand): boolean => a.axes.includes(axis) || b.axes.includes(axis);

/** The gradient of each operand is an einsum of dy and the other operand, repeated along axes that neither has. */
export const einsumGradient: GradConfig = {
  kernelName: "Einsum",
  saveAllInputs: true,
  gradFunc: (dy, saved: Tensor[], attrs: NamedAttrMap) => {
    const [from, result] = (attrs.equation as string).replaceAll(/\s/g, "").split("->");
    const terms = from.split(",");
    const gradient = (i: number) => (): Tensor => {
      const others = terms.filter((_, other) => other !== i);
      const known = Array.from(terms[i]).filter((label) => [result, ...others].some((term) => term.includes(label)));
      const factors = saved.filter((_, other) => other !== i);
      const equation = `${[result, ...others].join(",")}->${known.join("")}`;
      const sums = einsumOp(equation, dy as Tensor, ...factors);
      const { shape } = saved[i];
      const kept = shape.map((size, place) => (known.includes(terms[i][place]) ? size : 1));
      return broadcastTo(reshape(sums, kept), shape);
    };
    return Object.fromEntries(terms.map((_, i) => [String(i), gradient(i)]));
  },
};

export const einsums: readonly Kernel[] = [{ name: "Einsum", missing: true, run: einsum }];
