// Sum over axes that are next to each other. The backend's kernel transposes unless they are the last.
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./backend.js";
import type { Arguments, Kernel } from "./kernel.js";

function sum({ inputs: { x }, attrs }: Arguments, wasm: WasmBackend): TensorInfo | undefined {
  const { shape } = x;
  if (x.dtype !== "float32") return undefined;
  const summed = new Set(util.parseAxisParam((attrs.axis as number | number[] | undefined)!, shape));
  const kept = attrs.keepDims
    ? shape.map((size, axis) => (summed.has(axis) ? 1 : size))
    : shape.filter((_, axis) => !summed.has(axis));
  if (util.sizeFromShape(shape) === 0) return wasm.zeros(kept);
  // Axes of one element are as good as summed or not.
  const long = [...summed].filter((axis) => shape[axis] > 1);
  const [first, last] = long.length > 0 ? [Math.min(...long), Math.max(...long)] : [0, -1];
  for (let axis = first; axis <= last; axis++) if (shape[axis] > 1 && !summed.has(axis)) return undefined;
  const [outer, n, inner] = [shape.slice(0, first), shape.slice(first, last + 1), shape.slice(last + 1)];

  const sizes = [outer, n, inner].map((axes) => util.sizeFromShape(axes)) as [number, number, number];
  return wasm.output(kept, "float32", (to) => wasm.kernels.sum(...sizes, wasm.address(x), to));
}

export const sums: readonly Kernel[] = [{ name: "Sum", missing: false, run: sum }];
