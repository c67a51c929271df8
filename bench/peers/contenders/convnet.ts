import { createRequire } from "node:module";
import type { Contender } from "../contender.ts";
import { type Values, channelsLast, cnn, startOf } from "../models.ts";

/** The part of ConvNetJS that is used: it has no types. */
interface Vol {
  w: Float64Array;
}
interface Layer {
  readonly layer_type: string;
  readonly filters: readonly Vol[];
  readonly biases: Vol;
}
interface ConvNet {
  Vol: new (width: number, height: number, depth: number, value: number) => Vol;
  Net: new () => { makeLayers(definitions: readonly object[]): void; readonly layers: readonly Layer[] };
  Trainer: new (net: unknown, options: object) => { train(x: Vol, y: number): { loss: number } };
}

const conv = (filters: number): object => ({ type: "conv", sx: 3, filters, stride: 1, pad: 1, activation: "relu" });
const pool = { type: "pool", sx: 2, stride: 2 };

/** ConvNetJS takes an image at a time and steps after each 64th. It has no Adam: momentum is the nearest in work. */
export function convnet(): Contender {
  const { Net, Trainer, Vol } = createRequire(import.meta.url)("convnetjs") as ConvNet;
  return {
    steps: () => "ConvNetJS has no optimizer apart from its networks",
    net: () => "ConvNetJS takes part with the convolutional net",
    network(model) {
      if (model !== "cnn") return "ConvNetJS has no attention";
      const net = new Net();
      net.makeLayers([
        { type: "input", out_sx: cnn.side, out_sy: cnn.side, out_depth: 1 },
        ...[conv(cnn.channels[0]), pool, conv(cnn.channels[1]), pool],
        { type: "softmax", num_classes: cnn.classes },
      ]);
      const start = channelsLast(startOf("cnn"));
      const trained = net.layers.filter(({ layer_type }) => ["conv", "fc"].includes(layer_type));
      ["conv1", "conv2", "fc"].forEach((name, i) => assign(trained[i], start[`${name}.weight`], start[`${name}.bias`]));
      const trainer = new Trainer(net, {
        ...{ method: "sgd", learning_rate: 0.01, momentum: 0.9 },
        ...{ batch_size: cnn.batch, l2_decay: 0 },
      });
      const image = new Vol(cnn.side, cnn.side, 1, 0);
      const pixels = cnn.side ** 2;
      return {
        note: "it has no Adam and descends with momentum",
        step({ x, y }) {
          let loss = 0;
          for (let i = 0; i < cnn.batch; i++) {
            image.w.set(x.subarray(i * pixels, (i + 1) * pixels));
            loss += trainer.train(image, y[i]).loss;
          }
          return loss / cnn.batch;
        },
      };
    },
  };
}

function assign({ filters, biases }: Layer, weight: Values, bias: Values): void {
  const size = weight.data.length / filters.length;
  filters.forEach(({ w }, i) => w.set(weight.data.subarray(i * size, (i + 1) * size)));
  biases.w.set(bias.data);
}
