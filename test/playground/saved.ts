import { load } from "gradstep/checkpoint";
import { Adam } from "gradstep";
import { MLP } from "gradstep/nn";

/** What a network that the page has saved, with its first settings, makes of an image: the probability of each digit. */
export function predictSaved(file: Uint8Array, image: readonly number[]): number[] {
  const mlp = new MLP([784, 128, 10]);
  const optimizer = new Adam(mlp.params);
  load(file, mlp.params, { optimizers: [optimizer] });
  const powers = Array.from(mlp.predict(Float32Array.from(image)), (logit) => Math.exp(logit));
  optimizer.dispose();
  mlp.dispose();
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
