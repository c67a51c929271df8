// Models of tf.layers that the wasm backend alone cannot train, each with the shape of its input. Their weights are seeded.
import * as tf from "@tensorflow/tfjs";

type Initializer = ReturnType<typeof tf.initializers.glorotUniform>;

/** Trains for some epochs on seeded data, and returns the losses. */
export async function losses(name: string, epochs = 3): Promise<number[]> {
  const model = models[name]();
  model.compile({ optimizer: tf.train.sgd(0.05), loss: "meanSquaredError" });
  const shapeOf = (shape: tf.Shape): number[] => [8, ...(shape.slice(1) as number[])];
  const x = tf.randomUniform(shapeOf(model.inputs[0].shape), -1, 1, "float32", 7);
  const inputs = name.includes("embedding") ? tf.round(tf.mul(tf.add(x, 1), 4)) : x;
  const y = tf.randomUniform(shapeOf(model.outputs[0].shape), -1, 1, "float32", 9);
  const { history } = await model.fit(inputs, y, {
    epochs,
    batchSize: 4,
    shuffle: false,
  });
  model.dispose();
  tf.dispose([x, inputs, y]);
  return history.loss as number[];
}

function sequential(layers: (init: () => Initializer) => tf.layers.Layer[]): tf.LayersModel {
  let seed = 1;
  return tf.sequential({ layers: layers(() => tf.initializers.glorotUniform({ seed: seed++ })) });
}

/** Self-attention of two heads of four columns: all of it by einsum. */
class Attention extends tf.layers.Layer {
  static readonly className = "TestAttention";
  readonly #initializers: readonly Initializer[];
  #weights: readonly tf.LayerVariable[] = [];

  constructor(initializers: readonly Initializer[]) {
    super({});
    this.#initializers = initializers;
  }

  override build([, , width]: number[]): void {
    const shapes = [
      [width, 2, 4],
      [width, 2, 4],
      [width, 2, 4],
      [2, 4, width],
    ];
    this.#weights = shapes.map((shape, i) => this.addWeight(String(i), shape, "float32", this.#initializers[i]));
  }

  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs;
    const [query, key, value] = this.#weights.slice(0, 3).map((w) => tf.einsum("btc,chd->bthd", x, w.read()));
    const weights = tf.softmax(tf.mul(tf.einsum("bqhd,bkhd->bhqk", query, key), 0.5));
    return tf.einsum("bqhd,hdc->bqc", tf.einsum("bhqk,bkhd->bqhd", weights, value), this.#weights[3].read());
  }
}

/** A model by what is trained in it. */
export const models: Readonly<Record<string, () => tf.LayersModel>> = {
  conv2d: () =>
    sequential((init) => [
      tf.layers.conv2d({
        ...{ inputShape: [12, 13, 3], filters: 5, kernelSize: 3, strides: 2, padding: "same", activation: "relu" },
        kernelInitializer: init(),
      }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.conv2d({ filters: 20, kernelSize: 2, kernelInitializer: init() }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 4, kernelInitializer: init() }),
    ]),
  conv1d: () =>
    sequential((init) => [
      tf.layers.conv1d({ inputShape: [12, 3], filters: 5, kernelSize: 3, kernelInitializer: init() }),
      tf.layers.conv1d({ filters: 4, kernelSize: 4, strides: 2, padding: "same", kernelInitializer: init() }),
    ]),
  conv2dTranspose: () =>
    sequential((init) => [
      tf.layers.conv2dTranspose({
        ...{ inputShape: [5, 6, 3], filters: 5, kernelSize: 3, strides: 2, padding: "same" },
        kernelInitializer: init(),
      }),
      tf.layers.batchNormalization(),
      tf.layers.leakyReLU(),

      tf.layers.conv2dTranspose({ filters: 2, kernelSize: 4, strides: 2, kernelInitializer: init() }),
    ]),
  separableConv2d: () =>
    sequential((init) => [
      tf.layers.separableConv2d({
        ...{ inputShape: [9, 6, 3], filters: 5, kernelSize: 3, depthMultiplier: 2 },
        depthwiseInitializer: init(),
        pointwiseInitializer: init(),
      }),
      tf.layers.separableConv2d({
        ...{ filters: 5, kernelSize: 3, depthwiseInitializer: init(), pointwiseInitializer: init() },
      }),
    ]),
  depthwiseConv2d: () =>
    sequential((init) => [
      tf.layers.depthwiseConv2d({
        ...{ inputShape: [9, 6, 3], kernelSize: 3, depthMultiplier: 3, depthwiseInitializer: init() },
      }),
      tf.layers.depthwiseConv2d({ kernelSize: 2, strides: 2, padding: "same", depthwiseInitializer: init() }),
    ]),
  convLstm2d: () =>
    sequential((init) => [
      tf.layers.convLstm2d({
        ...{ inputShape: [4, 6, 6, 2], filters: 3, kernelSize: 3 },
        kernelInitializer: init(),
        recurrentInitializer: init(),
      }),
    ]),
  "embedding and LSTM": () =>
    sequential((init) => [
      tf.layers.embedding({ inputShape: [7], inputDim: 9, outputDim: 6, embeddingsInitializer: init() }),
      tf.layers.lstm({ units: 5, kernelInitializer: init(), recurrentInitializer: init() }),
      tf.layers.dense({ units: 3, kernelInitializer: init() }),
    ]),
  "multi-head attention by einsum": () =>
    sequential((init) => [
      tf.layers.dense({ inputShape: [6, 8], units: 8, kernelInitializer: init() }),
      new Attention(Array.from({ length: 4 }, init)),
    ]),
};
