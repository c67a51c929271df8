// tsx bench/nn.ts: the products of a dense layer (products.ts); then trainBatch with an Adam step on random images, in turns,
// on inputs without zeros and on bytes of which four fifths are 0, as in MNIST, and evaluate. Samples a second, in the median
// and in the best fiftieth of the rounds: a neighbour on the same core slows products by half at times.
import { Adam } from "gradstep";
import { MLP, type MLPOptions, Random } from "gradstep/nn";
import { printProducts } from "./products.js";

await printProducts();

const sizes = [784, 128, 10];
const rows = 64;
const random = new Random(1);
const x = Float32Array.from({ length: rows * sizes[0] }, () => random.uniform());
/** Runs of 28 random bytes among zeros, in each row elsewhere. */
const bytes = Uint8Array.from({ length: rows * sizes[0] }, (_, i) =>
  (i + 40 * Math.floor(i / sizes[0])) % 140 < 28 ? random.below(256) : 0,
);
const y = Uint8Array.from({ length: rows }, () => random.below(10));

function training(options: MLPOptions, input: Float32Array | Uint8Array = x): () => void {
  const mlp = new MLP(sizes, options);
  const optimizer = new Adam(mlp.params, { lr: 1e-6 });
  return () => {
    mlp.trainBatch(input, y);
    optimizer.step();
  };
}

const evaluated = new MLP(sizes);
const contenders: Record<string, () => void> = {
  "train, relu": training({}),
  "train, skipZeros: false": training({ skipZeros: false }),
  "train, bytes": training({}, bytes),
  "train, bytes, skipZeros: false": training({ skipZeros: false }, bytes),
  "train, tanh": training({ activation: "tanh" }),
  "train, gelu": training({ activation: "gelu" }),
  evaluate: () => evaluated.evaluate(x, y),
};

const times = Object.values(contenders).map((): number[] => []);
for (let round = -20; round < 1000; round++)
  Object.values(contenders).forEach((run, i) => {
    const start = performance.now();
    run();
    if (round >= 0) times[i].push(performance.now() - start);
  });

const perSecond = (milliseconds: number): string => Math.round((rows / milliseconds) * 1000).toLocaleString("en");
Object.keys(contenders).forEach((name, i) => {
  const sorted = times[i].sort((a, b) => a - b);
  const [best, median] = [sorted[Math.floor(sorted.length / 50)], sorted[Math.floor(sorted.length / 2)]];
  console.log(`${name.padEnd(32)} ${perSecond(median)} samples/s, at best ${perSecond(best)}`);
});
