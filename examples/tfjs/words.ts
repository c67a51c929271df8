import * as tf from "@tensorflow/tfjs";
import "gradstep/tfjs/wasm"; // without it the wasm backend has no gradient of an embedding
import { Random } from "gradstep/nn";

const GOOD = ["good", "lovely", "bright", "sweet", "warm", "kind"];
const BAD = ["bad", "dull", "bitter", "cold", "cruel", "grim"];
const OTHERS = ["the", "a", "day", "friend", "tea", "was", "and", "very", "is", "song"];
const WORDS = [...GOOD, ...BAD, ...OTHERS, "not"];
const LENGTH = 8;

export interface WordsOptions {
  readonly sentences: number;
  readonly epochs: number;
  readonly onEpoch?: (epoch: number, logs: tf.Logs) => void;
}

/**
 * Teaches an embedding and an LSTM whether made-up sentences are friendly: each has one good or bad word, which "not" before it
 * turns round. Returns the accuracy on sentences that it has not seen.
 */
export async function trainWords({ sentences, epochs, onEpoch }: WordsOptions): Promise<number> {
  const random = new Random(1);
  const one = <T>(list: readonly T[]): T => list[random.below(list.length)];
  const make = (count: number): [tf.Tensor2D, tf.Tensor2D] => {
    const all = Array.from({ length: count }, () => {
      const [isGood, isNegated] = [random.below(2) === 1, random.below(2) === 1];
      const words = Array.from({ length: LENGTH }, () => one(OTHERS));
      const place = 1 + random.below(LENGTH - 1);
      words[place] = one(isGood ? GOOD : BAD);
      if (isNegated) words[place - 1] = "not";
      return { codes: words.map((word) => WORDS.indexOf(word)), friendly: isGood !== isNegated ? 1 : 0 };
    });
    return [tf.tensor2d(all.map(({ codes }) => codes)), tf.tensor2d(all.map(({ friendly }) => [friendly]))];
  };
  const initializer = (seed: number) => tf.initializers.glorotUniform({ seed });
  const model = tf.sequential({
    layers: [
      tf.layers.embedding({
        ...{ inputDim: WORDS.length, outputDim: 8, inputLength: LENGTH },
        embeddingsInitializer: initializer(1),
      }),
      tf.layers.lstm({ units: 16, kernelInitializer: initializer(2), recurrentInitializer: initializer(3) }),
      tf.layers.dense({ units: 1, activation: "sigmoid", kernelInitializer: initializer(4) }),
    ],
  });
  const optimizer = tf.train.adam(1e-2);
  model.compile({ optimizer, loss: "binaryCrossentropy", metrics: ["accuracy"] });
  const [[x, y], [testX, testY]] = [make(sentences), make(500)];
  await model.fit(x, y, {
    epochs,
    batchSize: 32,
    callbacks: { onEpochEnd: (epoch, logs) => onEpoch?.(epoch + 1, logs ?? {}) },
  });
  const [loss, accuracy] = model.evaluate(testX, testY) as tf.Scalar[];
  const [result] = await accuracy.data();
  tf.dispose([x, y, testX, testY, loss, accuracy]);
  model.dispose();
  optimizer.dispose();
  return result;
}
