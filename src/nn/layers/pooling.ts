// Pooling of images.
import { channelsLast } from "../connections.js";
import { type Extent, extent } from "./extent.js";
import { Layer, type LayerOptions, type Place, type Plan, misfit, readOptions } from "./layer.js";
import { wrongValue } from "../../util/check.js";

/** Options of {@link maxPool2d} and {@link avgPool2d}. */
export interface PoolOptions extends LayerOptions {
  /** Distance of the windows, >= 1. Default: their size. */
  stride?: Extent | undefined;
  /** Padding around the image, at most half of the window. Default 0. */
  padding?: Extent | undefined;
}

interface Steps {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}

/** Kinds of the kernel `pool` (assembly/nn/pooling.ts); each one's gradient is the number after it. */
const MAXIMUM = 0;
const AVERAGE = 2;
const HALVES = 4;

function plan(
  { shape, owner }: Place,
  kind: typeof MAXIMUM | typeof AVERAGE,
  output: readonly number[],
  size: readonly [number, number],
  stride: readonly [number, number],
  padding: readonly [number, number],
): Plan {
  const [channels, height, width] = shape;
  const windows = [0, 1].map((i) => Math.floor((shape[i + 1] + 2 * padding[i] - size[i]) / stride[i]) + 1);
  if (windows.some((n) => n < 1))
    throw wrongValue(owner, "size", `a window that fits into the input of ${height} × ${width} with its padding`, size);
  const [outHeight, outWidth] = windows;
  const [high, wide] = size;
  const [down, right] = stride;
  const [top, left] = padding;
  const halves =
    kind === MAXIMUM && channels % 4 === 0 && [...size, ...stride].every((n) => n === 2) && top + left === 0;
  const used = halves ? HALVES : kind;
  return {
    output: output.length === 1 ? output : [channels, outHeight, outWidth],
    ...channelsLast,
    ...(kind === MAXIMUM ? { reads: "xy" as const } : {}),
    bind({ kernels: { pool }, x, y, dx, dy }) {
      const run = (rows: number, what: number): void => {
        pool(
          rows,
          what,
          height,
          width,
          channels,
          high,
          wide,
          down,
          right,
          top,
          left,
          outHeight,
          outWidth,
          x,
          y,
          dy,
          dx,
        );
      };
      return {
        forward({ rows }) {
          run(rows, used);
        },
        backward({ rows }, needsInputGradient) {
          if (needsInputGradient) run(rows, used + 1);
        },
      };
    },
  };
}

function pooling(name: string, kind: typeof MAXIMUM | typeof AVERAGE, size: Extent, options?: PoolOptions): Layer {
  return new Layer(name, options, (place) => {
    const { owner, shape } = place;
    const window = extent(1).read(owner, "size", size);
    const kinds = { stride: extent(1), padding: extent(0) };
    const defaults = { stride: window, padding: [0, 0] as const };
    const { stride, padding } = readOptions<Steps>(owner, options, kinds, defaults);
    if (padding.some((n, i) => 2 * n > window[i]))
      throw wrongValue(owner, "padding", "at most half of the window", options?.padding);
    if (shape.length !== 3) throw misfit(place, "[channels, height, width]");
    return plan(place, kind, [], window, stride, padding);
  });
}

/**
 * The maximum of each window of an image, [channels, height, width], as `torch.nn.MaxPool2d`. Of equal maxima the first takes
 * the gradient; NaN counts as the largest.
 *
 * @param size Size of the windows, >= 1: a number or [height, width].
 * @param options `stride`: default the size; `padding`: default 0.
 * @example
 * new Network([1, 28, 28], [conv2d(8, { kernelSize: 3 }), relu(), maxPool2d(2), flatten(), linear(10)]);
 */
export const maxPool2d = (size: Extent, options?: PoolOptions): Layer => pooling("maxPool2d", MAXIMUM, size, options);

/**
 * The average of each window of an image, [channels, height, width], as `torch.nn.AvgPool2d`. Padding counts as zeros.
 *
 * @param size Size of the windows, >= 1: a number or [height, width].
 * @param options `stride`: default the size; `padding`: default 0.
 * @example
 * new Network([1, 28, 28], [conv2d(8, { kernelSize: 3 }), relu(), avgPool2d(2), flatten(), linear(10)]);
 */
export const avgPool2d = (size: Extent, options?: PoolOptions): Layer => pooling("avgPool2d", AVERAGE, size, options);

/**
 * The average of each channel of an image: [channels, height, width] to [channels].
 * @example
 * new Network([3, 32, 32], [conv2d(16, { kernelSize: 3 }), relu(), globalAvgPool2d(), linear(10)]);
 */
export function globalAvgPool2d(options?: LayerOptions): Layer {
  return new Layer("globalAvgPool2d", options, (place) => {
    const { owner, shape } = place;
    readOptions(owner, options, {}, {});
    if (shape.length !== 3) throw misfit(place, "[channels, height, width]");
    const window = [shape[1], shape[2]] as const;
    return plan(place, AVERAGE, [shape[0]], window, window, [0, 0]);
  });
}
