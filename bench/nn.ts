// tsx bench/nn.ts: the products of a dense layer (products.ts); then trainBatch with an Adam step on random images, in turns,
// on inputs without zeros and on bytes of which four fifths are 0, as in MNIST, and evaluate. Samples a second, in the median
// and in the best fiftieth of the rounds: a neighbour on the same core slows products by half at times.
import { Adam } from "gradstep";
import { MLP } from "gradstep/nn";
import { bytes, evaluation, rows, training } from "./mlp.js";
import { printProducts } from "./products.js";

await printProducts();

const library = { Adam, MLP };
const contenders: Record<string, () => void> = {
  "train, relu": training(library),
  "train, skipZeros: false": training(library, { skipZeros: false }),
  "train, bytes": training(library, {}, bytes),
  "train, bytes, skipZeros: false": training(library, { skipZeros: false }, bytes),
  "train, tanh": training(library, { activation: "tanh" }),
  "train, gelu": training(library, { activation: "gelu" }),
  evaluate: evaluation(library),
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
