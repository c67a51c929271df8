// Batch and group normalization.
import { epsilon, fraction, wholeFrom, wrongValue } from "../../util/check.js";
import { channelsLast } from "../connections.js";
import { Layer, type LayerOptions, readOptions, sizeOf } from "./layer.js";

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends LayerOptions {
  /** ε, added to the variance, >= 0. Default 1e-5. */
  eps?: number | undefined;
  /** Weight of a batch in the running mean and variance, in [0, 1]. Default 0.1. */
  momentum?: number | undefined;
}

/** Options of {@link groupNorm}. */
export interface GroupNormOptions extends LayerOptions {
  /** ε, added to the variance, >= 0. Default 1e-5. */
  eps?: number | undefined;
}

const parameters = (channels: number) => [
  { name: "weight", shape: [channels], start: 1 },
  { name: "bias", shape: [channels], start: 0 },
];

/** Bytes for the sums of a thread (assembly/nn/channel-norm.ts). */
const scratchOf = (channels: number): number => 32 * (channels + 3);

/**
 * Batch normalization of each channel, the first dimension of [channels, ...], as `torch.nn.BatchNorm1d` and `BatchNorm2d`. In
 * training by the batch's mean and variance, in evaluation by the running ones. Parameters `weight` and `bias`, buffers
 * `running_mean` and `running_var` (unbiased), all [channels].
 *
 * @throws RangeError from a training forward with one value a channel.
 * @example
 * new Network([3, 32, 32], [conv2d(16, { kernelSize: 3, bias: false }), batchNorm(), relu(), flatten(), linear(10)]);
 */
export function batchNorm(options?: BatchNormOptions): Layer {
  return new Layer("batchNorm", options, ({ owner, shape, threads }) => {
    const { eps, momentum } = readOptions(
      owner,
      options,
      { eps: epsilon, momentum: fraction },
      { eps: 1e-5, momentum: 0.1 },
    );
    const channels = shape[0];
    const positions = sizeOf(shape) / channels;
    return {
      output: shape,
      ...channelsLast,
      parameters: parameters(channels),
      buffers: [
        { name: "running_mean", shape: [channels], start: 0 },
        { name: "running_var", shape: [channels], start: 1 },
      ],
      reads: "x",
      kept: 16 * channels,
      scratch: threads * scratchOf(channels),
      bind({ kernels, x, y, dx, dy, kept, scratch, parameters: [w, b], buffers: [mean, variance] }) {
        return {
          check(rows, training) {
            if (training && rows * positions === 1)
              throw new RangeError(
                `${owner}: expected more than one value a channel in training, got 1: give more rows, or call eval()`,
              );
          },
          forward({ rows, training }) {
            if (training) {
              kernels.channelStatistics(rows, positions, channels, 0, eps, momentum, x, mean, variance, kept, scratch);
            } else kernels.channelConstants(channels, eps, mean, variance, kept);
            kernels.normalizeChannels(rows, positions, channels, 0, kept, w.dataAt, b.dataAt, x, y);
          },
          backward({ rows, training }, needsInputGradient) {
            const { dataAt, gradAt } = w;
            kernels.channelGradients(
              rows,
              positions,
              channels,
              0,
              !training,
              x,
              dataAt,
              kept,
              dy,
              gradAt,
              b.gradAt,
              scratch,
            );
            if (needsInputGradient)
              kernels.normalizeChannelsGradient(rows, positions, channels, 0, kept, dataAt, x, dy, dx);
          },
        };
      },
    };
  });
}

/**
 * Normalization of groups of channels, the first dimension of [channels, ...], for each row, as `torch.nn.GroupNorm`.
 * Parameters: `weight` and `bias`, [channels].
 *
 * @param groups The number of groups, a whole number >= 1 that divides the channels.
 * @example
 * new Network([3, 32, 32], [conv2d(16, { kernelSize: 3 }), groupNorm(4), relu(), flatten(), linear(10)]);
 */
export function groupNorm(groups: number, options?: GroupNormOptions): Layer {
  return new Layer("groupNorm", options, ({ owner, shape, rows: most, threads }) => {
    const count = wholeFrom(1).read(owner, "groups", groups);
    const { eps } = readOptions(owner, options, { eps: epsilon }, { eps: 1e-5 });
    const channels = shape[0];
    const positions = sizeOf(shape) / channels;
    if (channels % count !== 0) throw wrongValue(owner, "groups", `a divisor of the ${channels} channels`, groups);
    return {
      output: shape,
      ...channelsLast,
      parameters: parameters(channels),
      reads: "x",
      kept: 16 * channels * most,
      scratch: threads * scratchOf(channels),
      bind({ kernels, x, y, dx, dy, kept, scratch, parameters: [w, b] }) {
        return {
          forward({ rows }) {
            kernels.channelStatistics(rows, positions, channels, count, eps, 0, x, 0, 0, kept, scratch);
            kernels.normalizeChannels(rows, positions, channels, count, kept, w.dataAt, b.dataAt, x, y);
          },
          backward({ rows }, needsInputGradient) {
            const { dataAt, gradAt } = w;
            kernels.channelGradients(
              rows,
              positions,
              channels,
              count,
              false,
              x,
              dataAt,
              kept,
              dy,
              gradAt,
              b.gradAt,
              scratch,
            );
            if (needsInputGradient)
              kernels.normalizeChannelsGradient(rows, positions, channels, count, kept, dataAt, x, dy, dx);
          },
        };
      },
    };
  });
}
