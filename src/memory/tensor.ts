// One named tensor in an arena, and the checks of the shapes and values that users pass for tensors.
import { array, clip, counted, isList, whole, wrongType, wrongValue } from "../util/check.js";

/** A view of an arena, or a copy of one: float32, row-major. Works with every TypeScript from 5.5 on. */
export type Vector = ReturnType<typeof Float32Array.of>;
/** Sizes of a tensor's dimensions; `[]` is a scalar, a 0 makes it empty. */
export type Shape = readonly number[];
/** Numbers to copy from. */
export type Values = ArrayLike<number>;

/** A named tensor: where its values and its gradient are in memory, and which optimizer updates it. */
export interface Tensor {
  readonly name: string;
  readonly shape: Shape;
  /** Number of elements, without padding. */
  readonly size: number;
  /** Byte addresses of the values and of the gradient, and the bytes that each takes with padding. */
  readonly dataAt: number;
  readonly gradAt: number;
  readonly bytes: number;
  readonly data: Vector;
  readonly grad: Vector;
  /** The live optimizer that updates the tensor. */
  owner: { readonly rule: { readonly name: string } } | undefined;
  /** What has replaced the tensor's values, if something has. */
  applied: Applied | undefined;
}

/** What stands in for the values of tensors until they are restored. */
export interface Applied {
  /** Says so for a message, and how to get the values back. */
  readonly message: (name: string) => string;
  /** Whether somebody may want to save these values: an average is a result, the point to which a SAM has climbed is none. */
  readonly isResult: boolean;
}

/** How many tensors there are, and elements in them. */
export const countOf = (tensors: readonly Tensor[]): { tensors: number; parameters: number } => ({
  tensors: tensors.length,
  parameters: tensors.reduce((sum, { size }) => sum + size, 0),
});

/** The message for a tensor that a live optimizer owns. */
export const owned = (name: string, tensor: Tensor): string =>
  `${name}: "${clip(tensor.name, 100)}" belongs to a live ${tensor.owner?.rule.name}; dispose that first`;

/**
 * Throws while one of the tensors has the values of an average, or those to which a SAM has climbed: they would be taken for
 * the trained ones, and one of the two would be lost. `Arena.applied` counts what is applied, so that this loop can be skipped.
 */
export function refuseApplied(owner: string, tensors: Iterable<Pick<Tensor, "name" | "applied">>): void {
  for (const { name, applied } of tensors)
    if (applied !== undefined) throw new Error(`${owner}: ${applied.message(clip(name, 100))}`);
}

/** The number of elements of a shape. */
export function shapeSize(owner: string, shape: unknown, name: string): number {
  const expected = "an array of whole numbers >= 0";
  const sizes = Array.from(array(owner, name, shape, expected), (dimension, i) =>
    whole.read(owner, `${name}[${i}]`, dimension),
  );
  return sizes.includes(0) ? 0 : sizes.reduce((size, dimension) => size * dimension, 1); // not ∞·0
}

/** Numbers, `size` of them. */
export function checkValues(owner: string, values: unknown, size: number, name: string): Values {
  const expected = counted(size, "number");
  if (!isList(values)) throw wrongType(owner, name, expected, values);
  if (values.length !== size) throw wrongValue(owner, name, expected, values);
  if (Array.isArray(values)) {
    const at = values.findIndex((x) => typeof x !== "number");
    if (at >= 0) throw wrongType(owner, `${name}[${at}]`, "a number", values[at]);
  }
  return values as Values;
}
