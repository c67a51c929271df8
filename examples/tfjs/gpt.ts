import * as tf from "@tensorflow/tfjs";

/** Sizes of a {@link GPT}. */
export interface Sizes {
  /** Different characters. */
  readonly vocabulary: number;
  /** Characters that it sees at a time. */
  readonly context: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
}

/** A decoder-only transformer in plain TensorFlow.js operations: pre-norm, causal attention, learned positions. */
export class GPT {
  readonly #sizes: Sizes;
  readonly #variables = new Map<string, tf.Variable>();
  readonly #mask: tf.Tensor2D;

  constructor(sizes: Sizes, seed: number) {
    this.#sizes = sizes;
    const { vocabulary, context, width, layers } = sizes;
    let count = 0;
    const add = (name: string, shape: number[], start?: number): void => {
      const value =
        start === undefined ? tf.randomNormal(shape, 0, 0.08, "float32", seed + count++) : tf.fill(shape, start);
      this.#variables.set(name, tf.variable(value, true, `gpt/${name}`));
      value.dispose();
    };
    const addDense = (name: string, from: number, to: number): void => {
      add(`${name}/kernel`, [from, to]);
      add(`${name}/bias`, [to], 0);
    };
    const addNorm = (name: string): void => {
      add(`${name}/gamma`, [width], 1);
      add(`${name}/beta`, [width], 0);
    };
    add("characters", [vocabulary, width]);
    add("positions", [context, width]);
    for (let layer = 0; layer < layers; layer++) {
      addNorm(`${layer}/norm1`);
      for (const part of ["query", "key", "value", "out"]) addDense(`${layer}/${part}`, width, width);
      addNorm(`${layer}/norm2`);
      addDense(`${layer}/up`, width, 4 * width);
      addDense(`${layer}/down`, 4 * width, width);
    }
    addNorm("norm");
    this.#mask = tf.tidy(() =>
      tf.linalg
        .bandPart(tf.ones([context, context]), -1, 0)
        .sub(1)
        .mul(1e9)
        .as2D(context, context),
    );
  }

  /** Mean cross-entropy, in nats a character, of predicting `next` from `text`: int32, [rows, context] each. */
  loss(text: tf.Tensor2D, next: tf.Tensor2D): tf.Scalar {
    const { vocabulary } = this.#sizes;
    return tf.tidy(() => {
      const logits = this.logits(text).reshape([-1, vocabulary]);
      return tf.losses.softmaxCrossEntropy(tf.oneHot(next.flatten(), vocabulary), logits).asScalar();
    });
  }

  /** [rows, context, vocabulary]. */
  logits(text: tf.Tensor2D): tf.Tensor {
    const { vocabulary, context, width, layers } = this.#sizes;
    const characters = this.#get("characters");
    const oneHot = tf.oneHot(text.flatten(), vocabulary).toFloat();
    let x: tf.Tensor = tf.matMul(oneHot, characters).reshape([-1, context, width]).add(this.#get("positions"));
    for (let layer = 0; layer < layers; layer++) {
      x = x.add(this.#attention(`${layer}`, this.#norm(`${layer}/norm1`, x)));
      const hidden = this.#dense(`${layer}/up`, this.#norm(`${layer}/norm2`, x)).relu();
      x = x.add(this.#dense(`${layer}/down`, hidden));
    }
    const rows = this.#norm("norm", x).reshape([-1, width]);
    return tf.matMul(rows, characters, false, true).reshape([-1, context, vocabulary]);
  }

  dispose(): void {
    tf.dispose([...this.#variables.values(), this.#mask]);
  }

  #attention(layer: string, x: tf.Tensor): tf.Tensor {
    const { context, width, heads } = this.#sizes;
    const split = (part: string): tf.Tensor =>
      this.#dense(`${layer}/${part}`, x)
        .reshape([-1, context, heads, width / heads])
        .transpose([0, 2, 1, 3]);
    const scores = tf.matMul(split("query"), split("key"), false, true).mul(1 / Math.sqrt(width / heads));
    const mixed = tf.matMul(scores.add(this.#mask).softmax(), split("value"));
    return this.#dense(`${layer}/out`, mixed.transpose([0, 2, 1, 3]).reshape([-1, context, width]));
  }

  #dense(name: string, x: tf.Tensor): tf.Tensor {
    const kernel = this.#get(`${name}/kernel`);
    const [from, to] = kernel.shape;
    const { context } = this.#sizes;
    return tf
      .matMul(x.reshape([-1, from]), kernel)
      .add(this.#get(`${name}/bias`))
      .reshape([-1, context, to]);
  }

  #norm(name: string, x: tf.Tensor): tf.Tensor {
    const centred = x.sub(x.mean(-1, true));
    const scale = centred.square().mean(-1, true).add(1e-5).rsqrt();
    return centred
      .mul(scale)
      .mul(this.#get(`${name}/gamma`))
      .add(this.#get(`${name}/beta`));
  }

  #get(name: string): tf.Variable {
    const variable = this.#variables.get(name);
    if (variable === undefined) throw new Error(`there is no variable ${name}`);
    return variable;
  }
}
