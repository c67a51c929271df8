// Writes text with a model, one character after the other.
import { type Network, Random } from "gradstep/nn";
import type { Alphabet } from "./alphabet.ts";

/** How to write. */
export interface Manner {
  /** Number of characters to write. */
  readonly length: number;
  /** Divides the outputs before the softmax: below 1 likely characters become likelier, and 0 always takes the likeliest. */
  readonly temperature: number;
  readonly seed: number;
}

/** Goes on after `start`, which must have a character. The characters come as they are written. */
export function* write(
  model: Network,
  alphabet: Alphabet,
  context: number,
  start: string,
  { length, temperature, seed }: Manner,
): Generator<string> {
  const random = new Random(seed);
  const count = alphabet.characters.length;
  const numbers = [...alphabet.encode(start)];
  const row = new Int32Array(context);
  for (let i = 0; i < length; i++) {
    const seen = numbers.slice(-context);
    row.set(seen); // what follows does not matter: attention is causal
    const last = seen.length - 1;
    const logits = model.predict(row).subarray(last * count, (last + 1) * count);
    const next = draw(logits, temperature, random);
    numbers.push(next);
    yield alphabet.character(next);
  }
}

/** Draws from the softmax of the outputs. */
function draw(logits: Float32Array, temperature: number, random: Random): number {
  const most = logits.reduce((a, b) => Math.max(a, b));
  if (temperature === 0 || Number.isNaN(most)) return Math.max(logits.indexOf(most), 0);
  const weights = logits.map((z) => Math.exp((z - most) / temperature));
  let rest = random.uniform() * weights.reduce((a, b) => a + b);
  const index = weights.findIndex((weight) => (rest -= weight) < 0);
  return index < 0 ? weights.length - 1 : index;
}
