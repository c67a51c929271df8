// The networks that the MNIST command trains.
import {
  type Layer,
  MLP,
  Network,
  type NetworkOptions,
  batchNorm,
  conv2d,
  flatten,
  globalAvgPool2d,
  linear,
  maxPool2d,
  relu,
  residual,
} from "gradstep/nn";
import type { Dataset } from "./idx.ts";

export const modelNames = ["mlp", "cnn", "resnet"] as const;
export type ModelName = (typeof modelNames)[number];

/** What an image is, and how many classes there are. */
type Form = Pick<Dataset, "height" | "width" | "pixels" | "classes">;

interface Model {
  /** Passes over the training images when `--epochs` is not given. */
  readonly epochs: number;
  /** The schedule when `--schedule` is not given. */
  readonly schedule?: "cosine";
  /** What the first line of a run says; `hidden` are the widths of the MLP's hidden layers. */
  readonly describe: (form: Form, hidden: readonly number[]) => string;
  readonly make: (form: Form, hidden: readonly number[], options: NetworkOptions) => Network;
}

/** A network for images of one channel. */
const ofImages = ({ height, width }: Form, layers: readonly Layer[], options: NetworkOptions): Network =>
  new Network([1, height, width], layers, options);

const threeByThree = { kernelSize: 3, padding: 1 } as const;

/** A convolution without a bias, since the normalization behind it has one. */
const normalized = (channels: number, stride = 1): Layer[] => [
  conv2d(channels, { ...threeByThree, stride, bias: false }),
  batchNorm(),
];

/** The residual block of He et al., "Deep Residual Learning for Image Recognition" (2015). */
const block = (channels: number): Layer[] => [
  residual([...normalized(channels), relu(), ...normalized(channels)]),
  relu(),
];

export const models: Readonly<Record<ModelName, Model>> = {
  mlp: {
    epochs: 3,
    describe: ({ pixels, classes }, hidden) => [pixels, ...hidden, classes].join("-"),
    make: ({ pixels, classes }, hidden, options) => new MLP([pixels, ...hidden, classes], options),
  },
  cnn: {
    epochs: 3,
    describe: ({ height, width }) => `cnn on ${height} x ${width} pixels, 2 convolutions to 16 and 32 channels`,
    make: (form, _, options) =>
      ofImages(
        form,
        [
          ...[conv2d(16, threeByThree), relu(), maxPool2d(2)],
          ...[conv2d(32, threeByThree), relu(), maxPool2d(2)],
          ...[flatten(), linear(form.classes)],
        ],
        options,
      ),
  },
  resnet: {
    epochs: 5,
    schedule: "cosine",
    describe: ({ height, width }) => `resnet on ${height} x ${width} pixels, 9 convolutions to 16, 32 and 64 channels`,
    make: (form, _, options) =>
      ofImages(
        form,
        [
          ...[...normalized(16), relu(), maxPool2d(2), ...block(16)],
          ...[...normalized(32, 2), relu(), ...block(32)],
          ...[...normalized(64, 2), relu(), ...block(64)],
          ...[globalAvgPool2d(), linear(form.classes)],
        ],
        options,
      ),
  },
};
