import { createRequire } from "node:module";
import { type Contender, sizes } from "../contender.ts";

/** The part of brain.js that is used: its own types leave out `trainPattern`. */
interface Network {
  sizes: number[];
  initialize(): void;
  trainPattern(sample: { input: Float32Array; output: Float32Array }): void;
  runInput(input: Float32Array): ArrayLike<number>;
}
interface Brain {
  NeuralNetwork: new (options: object) => Network;
}

/**
 * brain.js has no batches and no cross-entropy: it descends on the squared error, sample by sample, and its Adam too
 * takes a step at every sample. Plain descent with its default momentum is the faster of the two, and sigmoid what it is made for.
 */
export function brain(): Contender {
  const { NeuralNetwork } = createRequire(import.meta.url)("brain.js") as Brain;
  return {
    steps: () => "brain.js has no optimizer apart from its networks",
    net() {
      const network = new NeuralNetwork({ activation: "sigmoid", learningRate: 0.1 });
      network.sizes = [...sizes];
      network.initialize();
      const targets = Array.from({ length: 10 }, (_, digit) =>
        Float32Array.from({ length: 10 }, (_, j) => (j === digit ? 1 : 0)),
      );
      const row = (x: Float32Array, i: number): Float32Array => x.subarray(i * sizes[0], (i + 1) * sizes[0]);
      return {
        train(x, y) {
          y.forEach((digit, i) => network.trainPattern({ input: row(x, i), output: targets[digit] }));
        },
        predict: (x, rows) =>
          Uint8Array.from({ length: rows }, (_, i) => {
            const scores = Array.from(network.runInput(row(x, i)));
            return scores.indexOf(Math.max(...scores));
          }),
      };
    },
  };
}
