// Tile where blocks that lie together are repeated, as for broadcasting. The backend's kernel takes elements one by one.
import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { WasmBackend } from "./backend.js";
import type { Arguments, Kernel } from "./kernel.js";

function tile({ inputs: { x }, attrs }: Arguments, wasm: WasmBackend): TensorInfo | undefined {
  const { shape } = x;
  const reps = attrs.reps as number[];
  const result = shape.map((size, axis) => size * reps[axis]);
  if (!["float32", "int32"].includes(x.dtype) || util.sizeFromShape(result) === 0) return undefined;
  // From the first repeated axis that has several elements on, an axis belongs to the block.
  const first = Math.max(
    0,
    reps.findIndex((times) => times > 1),
  );
  const block = Math.max(
    first,
    shape.findIndex((size, axis) => axis >= first && size > 1),
  );
  if (reps.some((times, axis) => times > 1 && axis > block)) return undefined;

  const [outer, inner] = [shape.slice(0, first), shape.slice(first)].map((axes) => util.sizeFromShape(axes));
  return wasm.output(result, x.dtype, (to) => {
    wasm.kernels.repeat(outer, 4 * inner, util.sizeFromShape(reps), wasm.address(x), to);
  });
}

export const tiles: readonly Kernel[] = [{ name: "Tile", missing: false, run: tile }];
