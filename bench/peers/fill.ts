// The same numbers for every contender, in steps.c too: small, of both signs, never zero, since zeros make denormals.

/** Fills an array with numbers between -0.1 and 0.1; each `stream` is another sequence. */
export function fill(array: Float32Array, stream: number): Float32Array {
  for (let i = 0; i < array.length; i++) array[i] = valueAt(i, stream);
  return array;
}

const valueAt = (i: number, stream: number): number =>
  ((((Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(stream, 0x85ebca6b)) >>> 15) | 1) - 65536) / 655360;

/** The stream of a tensor's parameters, and of its gradient. */
export const streams = (tensor: number): { p: number; g: number } => ({ p: 2 * tensor + 1, g: 2 * tensor + 2 });

export const filled = (length: number, stream: number): Float32Array<ArrayBuffer> =>
  fill(new Float32Array(length), stream) as Float32Array<ArrayBuffer>;
