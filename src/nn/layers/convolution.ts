// Convolutions of signals and images.
import type { Shape } from "../../memory/tensor.js";
import { type Kind, flag, wholeFrom, wrongType, wrongValue } from "../../util/check.js";
import { channelsLast } from "../connections.js";
import { type Extent, extent } from "./extent.js";
import { Geometry } from "./geometry.js";
import { Layer, type LayerOptions, type Place, type Plan, misfit, readOptions, sizeOf } from "./layer.js";

/** Options of {@link conv2d}. */
export interface Conv2dOptions extends LayerOptions {
  /** Size of the kernel, >= 1. */
  kernelSize: Extent;
  /** Distance of the outputs, >= 1. Default 1. */
  stride?: Extent | undefined;
  /**
   * Zeros around the image, >= 0, or `"same"` for outputs of the image's size, with stride 1: an odd number of zeros has the
   * larger half at the end. Default 0.
   */
  padding?: Extent | "same" | undefined;
  /** Distance of the kernel's elements, >= 1. Default 1. */
  dilation?: Extent | undefined;
  /** Groups of channels, each of which sees only its own inputs; divides both numbers of channels. Default 1. */
  groups?: number | undefined;
  /** Whether there is a bias. Default true. */
  bias?: boolean | undefined;
}

/** Options of {@link conv1d}: those of {@link conv2d}, each a number. */
export interface Conv1dOptions extends LayerOptions {
  /** Size of the kernel, >= 1. */
  kernelSize: number;
  /** Distance of the outputs, >= 1. Default 1. */
  stride?: number | undefined;
  /** Zeros at both ends, >= 0, or `"same"`. Default 0. */
  padding?: number | "same" | undefined;
  /** Distance of the kernel's elements, >= 1. Default 1. */
  dilation?: number | undefined;
  /** Groups of channels. Default 1. */
  groups?: number | undefined;
  /** Whether there is a bias. Default true. */
  bias?: boolean | undefined;
}

/** The options as they were read, with height 1 in one dimension. */
interface Settings {
  readonly kernelSize: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number] | "same";
  readonly dilation: readonly [number, number];
  readonly groups: number;
  readonly bias: boolean;
}

/** In one dimension, height is `other`. */
const line = (least: number, other: number): Kind<readonly [number, number]> => ({
  read: (owner, name, value) => [other, wholeFrom(least).read(owner, name, value)],
});

const orSame = (kind: Kind<readonly [number, number]>): Kind<readonly [number, number] | "same"> => ({
  read(owner, name, value) {
    if (value === "same") return "same";
    if (typeof value === "string") throw wrongValue(owner, name, `a whole number >= 0 or "same"`, value);
    return kind.read(owner, name, value);
  },
});

/** Images of a group, whose gradients are added up first (assembly/nn/convolution-gradient.ts): there are at most 8 groups. */
const groupSize = (images: number): number => Math.max(8, Math.ceil(images / 8));

function plan(place: Place, image: Shape, outputs: number, settings: Settings, oneDimension: boolean): Plan {
  const { owner, rows, skipZeros, threads } = place;
  const { kernelSize, stride, padding, dilation, groups, bias } = settings;
  const channels = image[0];
  for (const [count, what] of [
    [channels, "channels of the input"],
    [outputs, "outputs"],
  ] as const)
    if (count % groups !== 0) throw wrongValue(owner, "groups", `a divisor of the ${count} ${what}`, groups);
  const reach = kernelSize.map((size, i) => dilation[i] * (size - 1));
  if (padding === "same" && stride.some((n) => n > 1))
    throw wrongValue(owner, "padding", `a whole number with a stride above 1`, padding);
  const before = padding === "same" ? reach.map((n) => Math.floor(n / 2)) : padding;
  const after = padding === "same" ? reach.map((n) => Math.ceil(n / 2)) : padding;
  const size = [0, 1].map((i) => Math.floor((image[i + 1] + before[i] + after[i] - reach[i] - 1) / stride[i]) + 1);
  if (size.some((n) => n < 1))
    throw wrongValue(
      owner,
      "kernelSize",
      `a kernel that fits into the input of ${image.slice(1).join(" × ")} with its padding`,
      kernelSize,
    );

  const output = [outputs, ...size];
  const common = { kernel: kernelSize, stride, dilation, groups, all: !skipZeros };
  const geometry = new Geometry({ ...common, image, output, before });
  const turned = stride.every((n) => n === 1)
    ? new Geometry({ ...common, image: output, output: image, before: reach.map((n, i) => n - before[i]) })
    : undefined;
  const scratch = threads * Math.max(geometry.scratch, turned?.scratch ?? 0);
  const shape = [outputs, channels / groups, ...(oneDimension ? kernelSize.slice(1) : kernelSize)];
  const fanIn = sizeOf(shape.slice(1));
  const fanOut = (outputs * fanIn * groups) / channels;
  return {
    output: oneDimension ? [outputs, size[1]] : output,
    ...channelsLast,
    parameters: [
      { name: "weight", shape, start: { kind: "weight", fanIn, fanOut } },
      ...(bias ? [{ name: "bias", shape: [outputs], start: { kind: "bias", fanIn } as const }] : []),
    ],
    reads: "x",
    kept: geometry.bytes + (turned?.bytes ?? 0),
    scratch: scratch + Math.ceil(rows / groupSize(rows)) * geometry.partial,
    flops: sizeOf(size) * outputs * fanIn,
    bind({ buffer, kernels, x, y, dx, dy, kept, scratch: at, parameters }) {
      const [w, b] = parameters;
      const turnedAt = turned === undefined ? 0 : kept + geometry.bytes;
      const partials = at + scratch;
      const [words, floats] = [new Int32Array(buffer), new Float32Array(buffer)];
      return {
        forward(run) {
          geometry.write(words, kept);
          geometry.writeWeights(floats, kept, w.dataAt, true, false);
          turned?.write(words, turnedAt);
          turned?.writeWeights(floats, turnedAt, w.dataAt, false, true);
          kernels.convolve(run.rows, kept, x, bias ? b.dataAt : 0, -Infinity, y, at);
        },
        backward(run, needsInputGradient) {
          const trains = w.trains || (bias && b.trains);
          const gradient = needsInputGradient ? dx : 0;
          const size = groupSize(run.rows);
          kernels.convolveGradient(run.rows, size, kept, turnedAt, x, dy, trains ? partials : 0, gradient, at);
          if (trains) kernels.convolveWeight(Math.ceil(run.rows / size), kept, partials, w.gradAt, bias ? b.gradAt : 0);
        },
      };
    },
  };
}

/**
 * A convolution of images, [channels, height, width] to [`outputs`, height, width], as `torch.nn.Conv2d`. Parameters: `weight`
 * [outputs, channels/groups, kernel height, kernel width], `bias` [outputs].
 *
 * @param outputs The number of channels of the output, a whole number >= 1.
 * @param options `kernelSize` must be given.
 * @example
 * new Network([1, 28, 28], [conv2d(16, { kernelSize: 3, padding: 1 }), relu(), flatten(), linear(10)]);
 */
export function conv2d(outputs: number, options: Conv2dOptions): Layer {
  return new Layer("conv2d", options, (place) => {
    const { owner, shape } = place;
    const count = wholeFrom(1).read(owner, "outputs", outputs);
    const settings = readSettings(owner, options, extent(1), extent(1), extent(0), [1, 1], [0, 0]);
    if (shape.length !== 3) throw misfit(place, "[channels, height, width]");
    return plan(place, shape, count, settings, false);
  });
}

/**
 * A convolution of signals, [channels, length] to [`outputs`, length], as `torch.nn.Conv1d`. Parameters: `weight` [outputs,
 * channels/groups, kernel size], `bias` [outputs].
 *
 * @param outputs The number of channels of the output, a whole number >= 1.
 * @param options `kernelSize` must be given.
 * @example
 * new Network([1, 1000], [conv1d(8, { kernelSize: 9, stride: 4 }), relu(), flatten(), linear(3)]);
 */
export function conv1d(outputs: number, options: Conv1dOptions): Layer {
  return new Layer("conv1d", options, (place) => {
    const { owner, shape } = place;
    const count = wholeFrom(1).read(owner, "outputs", outputs);
    const settings = readSettings(owner, options, line(1, 1), line(1, 1), line(0, 0), [1, 1], [0, 0]);
    if (shape.length !== 2) throw misfit(place, "[channels, length]");
    return plan(place, [shape[0], 1, shape[1]], count, settings, true);
  });
}

function readSettings(
  owner: string,
  options: unknown,
  size: Kind<readonly [number, number]>,
  step: Kind<readonly [number, number]>,
  zeros: Kind<readonly [number, number]>,
  one: readonly [number, number],
  none: readonly [number, number],
): Settings {
  const kinds = {
    kernelSize: size,
    stride: step,
    padding: orSame(zeros),
    dilation: step,
    groups: wholeFrom(1),
    bias: flag,
  };
  const defaults = { kernelSize: none, stride: one, padding: none, dilation: one, groups: 1, bias: true };
  const read = readOptions<Settings>(owner, options, kinds, defaults);
  if (read.kernelSize === none) throw wrongType(owner, "kernelSize", "a whole number >= 1", undefined);
  return read;
}
