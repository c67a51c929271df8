// Converts the elements of a file's tensors to float32, or to numbers.
import { wrongValue } from "../util/check.js";
import type { Shape, Vector } from "../memory/tensor.js";
import type { Dtype, Entry } from "./safetensors.js";
import { bytesOf } from "./plain-values.js";

interface View {
  readonly length: number;
  readonly [i: number]: number | bigint;
}
type Make = { readonly BYTES_PER_ELEMENT: number } & (new (buffer: ArrayBufferLike, at: number, n: number) => View);

const views: Partial<Record<Dtype, Make>> = {
  F32: Float32Array,
  F64: Float64Array,
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  U16: Uint16Array,
  I16: Int16Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  U32: Uint32Array,
  I32: Int32Array,
  U64: BigUint64Array,
  I64: BigInt64Array,
};

/** Whether elements of this type are neither integers nor booleans. */
export const isFloat = (dtype: Dtype): boolean => !/^[UI]|^BOOL/.test(dtype);

/**
 * Checks a tensor of the file and returns a function that writes it as float32: BF16 and F16 are widened, F64 is rounded,
 * integers and booleans must convert exactly.
 * @throws RangeError naming the tensor.
 */
export function toFloat32(name: string, entry: Entry, shape: Shape): (to: Vector) => void {
  const { dtype } = entry;
  if (shape.length !== entry.shape.length || shape.some((size, i) => size !== entry.shape[i]))
    throw wrongValue("load", name, `shape [${shape.join(", ")}]`, entry.shape);
  if (dtype === "F32") return (to) => bytesOf(to).set(entry.bytes);
  const view = viewOf(name, entry);
  if (dtype === "BF16" || dtype === "F16") return (to) => widen(dtype, view as Uint16Array, to);
  if (dtype !== "F64") checkExact(name, dtype, view);
  return (to) => {
    for (let i = 0; i < to.length; i++) to[i] = Number(view[i]);
  };
}

/**
 * The number in a tensor of shape [] or [1], exactly.
 * @throws RangeError naming the tensor, for another shape or a number that float64 cannot hold.
 */
export function toNumber(name: string, entry: Entry): number {
  const { dtype, shape } = entry;
  if (shape.length > 1 || (shape.length === 1 && shape[0] !== 1))
    throw wrongValue("load", name, "shape [] or [1]", shape);
  const view = viewOf(name, entry);
  if (dtype === "BF16" || dtype === "F16") {
    const one = new Float32Array(1);
    widen(dtype, view as Uint16Array, one);
    return one[0];
  }
  const number = Number(view[0]);
  if (typeof view[0] === "bigint" && BigInt(number) !== view[0])
    throw wrongValue("load", name, "a number that a float64 can hold", view[0]);
  return number;
}

function viewOf(name: string, { dtype, bytes }: Entry): View {
  const Kind = views[dtype];
  if (Kind === undefined) throw wrongValue("load", name, "F32, BF16, F16, F64, integers or booleans", dtype);
  const aligned = bytes.byteOffset % Kind.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Kind(aligned.buffer, aligned.byteOffset, bytes.length / Kind.BYTES_PER_ELEMENT);
}

function checkExact(name: string, dtype: Dtype, view: View): void {
  for (let i = 0; i < view.length; i++) {
    const rounded = Math.fround(Number(view[i]));
    const exact = typeof view[i] === "bigint" ? BigInt(rounded) === view[i] : rounded === view[i];
    if (!exact) throw wrongValue("load", `${name}[${i}]`, "an integer that float32 can hold", view[i]);
    if (dtype === "BOOL" && rounded > 1) throw wrongValue("load", `${name}[${i}]`, "0 or 1 for a boolean", view[i]);
  }
}

/** Corrects the exponent of an F16 whose bits were moved into a float32: the biases differ by 112. */
const SCALE = 2 ** 112;

function widen(dtype: "BF16" | "F16", halves: Uint16Array, to: Vector): void {
  const bits = new Uint32Array(to.buffer, to.byteOffset, to.length);
  for (let i = 0; i < to.length; i++) {
    const half = halves[i];
    if (dtype === "BF16") {
      bits[i] = half << 16;
      continue;
    }
    bits[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    if ((half & 0x7c00) === 0x7c00) bits[i] |= 0x7f800000;
    else to[i] *= SCALE;
  }
}
