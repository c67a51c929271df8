// What a user of the MLP waits for: a batch of training, on images with and without zeros, and evaluation.
import type { Adam } from "gradstep";
import { type MLP, type MLPOptions, Random } from "gradstep/nn";

/** gradstep with its networks, of this checkout or of another. */
export interface NetworkLibrary {
  readonly Adam: typeof Adam;
  readonly MLP: typeof MLP;
}

const sizes = [784, 128, 10];
export const rows = 64;
const random = new Random(1);
const x = Float32Array.from({ length: rows * sizes[0] }, () => random.uniform());
/** Runs of 28 random bytes among zeros, in each row elsewhere: four fifths are 0, as in MNIST. */
export const bytes = Uint8Array.from({ length: rows * sizes[0] }, (_, i) =>
  (i + 40 * Math.floor(i / sizes[0])) % 140 < 28 ? random.below(256) : 0,
);
const y = Uint8Array.from({ length: rows }, () => random.below(10));

/** A batch: the gradients, and a step of Adam. */
export function training(
  { Adam, MLP }: NetworkLibrary,
  options: MLPOptions = {},
  input: Float32Array | Uint8Array = x,
): () => void {
  const mlp = new MLP(sizes, options);
  const optimizer = new Adam(mlp.params, { lr: 1e-6 });
  return () => {
    mlp.trainBatch(input, y);
    optimizer.step();
  };
}

export function evaluation({ MLP }: NetworkLibrary): () => void {
  const mlp = new MLP(sizes);
  return () => void mlp.evaluate(x, y);
}
