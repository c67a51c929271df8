// The layers: a row each, with random shapes and options, and the plain loop in float64 that says what it computes.
import type { Random } from "../../src/init/random.js";
import * as nn from "../../src/nn/index.js";

export type Numbers = Float64Array;
/** What a layer computes from x, [rows, ...input], and its parameters by name. */
export type Plain = (x: Numbers, params: Readonly<Record<string, Numbers>>, rows: number) => Numbers;

/** A layer with options, on inputs of a shape. */
export interface Case {
  readonly layer: nn.Layer;
  readonly input: readonly number[];
  readonly plain: Plain;
  /** The input consists of tokens below this. */
  readonly tokens?: number;
  /** In evaluation, since training is random. */
  readonly evaluation?: boolean;
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const from1 = (random: Random, most: number): number => 1 + random.below(most);
const flip = (random: Random): boolean => random.below(2) === 1;
const image = (random: Random): [number, number, number] => [
  from1(random, 6),
  4 + random.below(6),
  4 + random.below(6),
];
const anyShape = (random: Random): number[] => Array.from({ length: from1(random, 3) }, () => from1(random, 7));

const elementwise =
  (make: () => nn.Layer, of: (x: number) => number) =>
  (random: Random): Case => ({ layer: make(), input: anyShape(random), plain: (x) => x.map(of) });

/** x·Wᵀ + b for each group of `inputs` numbers. */
function dense(x: Numbers, w: Numbers, b: Numbers | undefined, inputs: number): Numbers {
  const outputs = w.length / inputs;
  const y = new Float64Array((x.length / inputs) * outputs);
  for (let i = 0; i < y.length; i++) {
    const [row, o] = [Math.floor(i / outputs), i % outputs];
    y[i] = b?.[o] ?? 0;
    for (let k = 0; k < inputs; k++) y[i] += x[row * inputs + k] * w[o * inputs + k];
  }
  return y;
}

interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
}

/** Calls `each` with the index of each output and those of its inputs, −1 in the padding, of one channel. */
function windows(
  [height, width]: readonly [number, number],
  { kernel: k, stride: s, padding: p, dilation: d }: Window,
  each: (out: number, inputs: readonly number[]) => void,
): number {
  const [high, wide] = [height, width].map((n, i) => Math.floor((n + 2 * p[i] - d[i] * (k[i] - 1) - 1) / s[i]) + 1);
  for (let out = 0; out < high * wide; out++) {
    const inputs = Array.from({ length: k[0] * k[1] }, (_, tap) => {
      const row = Math.floor(out / wide) * s[0] - p[0] + Math.floor(tap / k[1]) * d[0];
      const column = (out % wide) * s[1] - p[1] + (tap % k[1]) * d[1];
      return row < 0 || row >= height || column < 0 || column >= width ? -1 : row * width + column;
    });
    each(out, inputs);
  }
  return high * wide;
}

function convolution(
  [channels, height, width]: readonly number[],
  outputs: number,
  groups: number,
  window: Window,
): Plain {
  const taps = window.kernel[0] * window.kernel[1];
  const [ins, outs] = [channels / groups, outputs / groups];
  return (x, { weight, bias }, rows) => {
    const size = windows([height, width], window, () => undefined);
    const y = new Float64Array(rows * outputs * size);
    windows([height, width], window, (out, inputs) => {
      for (let i = 0; i < rows * outputs; i++) {
        const [row, o] = [Math.floor(i / outputs), i % outputs];
        let sum = (bias as Numbers | undefined)?.[o] ?? 0;
        for (let c = 0; c < ins; c++)
          inputs.forEach((at, tap) => {
            const channel = row * channels + Math.floor(o / outs) * ins + c;
            if (at >= 0) sum += x[channel * height * width + at] * weight[(o * ins + c) * taps + tap];
          });
        y[i * size + out] = sum;
      }
    });
    return y;
  };
}

function pooling([, height, width]: readonly number[], window: Window, of: (values: number[]) => number): Plain {
  return (x) => {
    const planes = x.length / (height * width);
    const size = windows([height, width], window, () => undefined);
    const y = new Float64Array(planes * size);
    windows([height, width], window, (out, inputs) => {
      for (let plane = 0; plane < planes; plane++)
        y[plane * size + out] = of(inputs.map((at) => (at < 0 ? NaN : x[plane * height * width + at])));
    });
    return y;
  };
}

/** The numbers of each set, less their mean and divided by their deviation; `setOf` numbers the sets from 0. */
function normalized(x: Numbers, eps: number, setOf: (i: number) => number): Numbers {
  const [count, sum, squares]: number[][] = [[], [], []];
  x.forEach((v, i) => {
    count[setOf(i)] = (count[setOf(i)] ?? 0) + 1;
    sum[setOf(i)] = (sum[setOf(i)] ?? 0) + v;
  });
  const mean = sum.map((total, set) => total / count[set]);
  x.forEach((v, i) => (squares[setOf(i)] = (squares[setOf(i)] ?? 0) + (v - mean[setOf(i)]) ** 2));
  return x.map((v, i) => (v - mean[setOf(i)]) / Math.sqrt(squares[setOf(i)] / count[setOf(i)] + eps));
}

function attention(tokens: number, width: number, heads: number, causal: boolean): Plain {
  return (x, params, rows) => {
    const qkv = dense(x, params.in_proj_weight, params.in_proj_bias, width);
    const size = width / heads;
    const out = new Float64Array(rows * tokens * width);
    for (let i = 0; i < rows * tokens * heads; i++) {
      const [row, token, head] = [Math.floor(i / heads / tokens), Math.floor(i / heads) % tokens, i % heads];
      const part = (t: number, kind: number, j: number): number =>
        qkv[(row * tokens + t) * 3 * width + kind * width + head * size + j];
      const seen = causal ? token + 1 : tokens;
      const scores = Array.from({ length: seen }, (_, t) => {
        let sum = 0;
        for (let j = 0; j < size; j++) sum += part(token, 0, j) * part(t, 1, j);
        return Math.exp(sum / Math.sqrt(size));
      });
      const total = scores.reduce((a, b) => a + b);
      for (let j = 0; j < size; j++)
        out[(row * tokens + token) * width + head * size + j] = scores.reduce(
          (sum, e, t) => sum + (e / total) * part(t, 2, j),
          0,
        );
    }
    return dense(out, params["out_proj.weight"], params["out_proj.bias"], width);
  };
}

function window(random: Random, dilates: boolean): Window {
  const two = (most: number): [number, number] => [from1(random, most), from1(random, most)];
  return {
    kernel: two(3),
    stride: two(3),
    padding: [random.below(3), random.below(3)],
    dilation: dilates && flip(random) ? [2, 1] : [1, 1],
  };
}

/** Padding of pools is at most half their size. */
function pool(random: Random): Window {
  const { kernel, stride } = window(random, false);
  return { kernel, stride, padding: [random.below((kernel[0] >> 1) + 1), kernel[1] >> 1], dilation: [1, 1] };
}

const drop = (values: number[]): number[] => values.filter((v) => !Number.isNaN(v));

/** One row for each layer that is exported: draws a case. */
export const table: Readonly<Record<string, (random: Random) => Case>> = {
  linear(random) {
    const input = anyShape(random);
    const inputs = input[input.length - 1];
    return {
      layer: nn.linear(from1(random, 20), { bias: flip(random) }),
      input,
      plain: (x, { weight, bias }) => dense(x, weight, bias, inputs),
    };
  },
  conv1d(random) {
    const groups = from1(random, 2);
    const [input, outputs] = [[2 * groups, 8 + random.below(6)], groups * from1(random, 9)];
    const [kernelSize, stride, padding, dilation] = [
      from1(random, 4),
      from1(random, 2),
      random.below(3),
      from1(random, 2),
    ];
    const options = { kernelSize, stride, padding, dilation, groups, bias: flip(random) };
    const whole: Window = {
      kernel: [1, kernelSize],
      stride: [1, stride],
      padding: [0, padding],
      dilation: [1, dilation],
    };
    return {
      layer: nn.conv1d(outputs, options),
      input,
      plain: convolution([input[0], 1, input[1]], outputs, groups, whole),
    };
  },
  conv2d(random) {
    const groups = from1(random, 3);
    const { kernel, stride, padding, dilation } = window(random, true);
    const input = [groups * from1(random, 3), 5 + random.below(3), 5 + random.below(3)];
    const outputs = groups * from1(random, 6);
    const options = { kernelSize: kernel, stride, padding, dilation, groups, bias: flip(random) };
    return {
      layer: nn.conv2d(outputs, options),
      input,
      plain: convolution(input, outputs, groups, { kernel, stride, padding, dilation }),
    };
  },
  maxPool2d(random) {
    const [input, shape] = [image(random), pool(random)];
    const plain = pooling(input, shape, (values) => Math.max(...drop(values)));
    return { layer: nn.maxPool2d(shape.kernel, { stride: shape.stride, padding: shape.padding }), input, plain };
  },
  avgPool2d(random) {
    const [input, shape] = [image(random), pool(random)];
    const plain = pooling(input, shape, (values) => drop(values).reduce((a, b) => a + b, 0) / values.length);
    return { layer: nn.avgPool2d(shape.kernel, { stride: shape.stride, padding: shape.padding }), input, plain };
  },
  globalAvgPool2d(random) {
    const input = image(random);
    const size = input[1] * input[2];
    return {
      layer: nn.globalAvgPool2d(),
      input,
      plain: (x) =>
        Float64Array.from(
          { length: x.length / size },
          (_, i) => x.subarray(i * size, (i + 1) * size).reduce((a, b) => a + b) / size,
        ),
    };
  },
  flatten: elementwise(nn.flatten, (x) => x),
  relu: elementwise(nn.relu, (x) => Math.max(x, 0)),
  leakyRelu(random) {
    const negativeSlope = [0.01, 0.3, 0, -0.2][random.below(4)];
    return elementwise(
      () => nn.leakyRelu({ negativeSlope }),
      (x) => (x > 0 ? x : negativeSlope * x),
    )(random);
  },
  tanh: elementwise(nn.tanh, Math.tanh),
  sigmoid: elementwise(nn.sigmoid, (x) => 1 / (1 + Math.exp(-x))),
  gelu: elementwise(nn.gelu, (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
  silu: elementwise(nn.silu, (x) => x / (1 + Math.exp(-x))),
  dropout: (random) => ({ ...elementwise(nn.dropout, (x) => x)(random), evaluation: true }),
  batchNorm(random) {
    const input = flip(random) ? image(random) : [from1(random, 20)];
    const size = product(input.slice(1));
    const channelOf = (i: number): number => Math.floor(i / size) % input[0];
    const eps = [1e-5, 0.1][random.below(2)];
    return {
      layer: nn.batchNorm({ eps }),
      input,
      plain: (x, { weight, bias }) =>
        normalized(x, eps, channelOf).map((v, i) => v * weight[channelOf(i)] + bias[channelOf(i)]),
    };
  },
  layerNorm(random) {
    const input = anyShape(random);
    const size = (input[input.length - 1] += 2);
    const eps = [1e-5, 0.1][random.below(2)];
    return {
      layer: nn.layerNorm({ eps }),
      input,
      plain: (x, { weight, bias }) =>
        normalized(x, eps, (i) => Math.floor(i / size)).map((v, i) => v * weight[i % size] + bias[i % size]),
    };
  },
  groupNorm(random) {
    const groups = from1(random, 3);
    const input = [groups * from1(random, 4), from1(random, 5), 1 + from1(random, 5)];
    const size = input[1] * input[2];
    const channelOf = (i: number): number => Math.floor(i / size) % input[0];
    const setOf = (i: number): number => Math.floor(i / (product(input) / groups));
    return {
      layer: nn.groupNorm(groups),
      input,
      plain: (x, { weight, bias }) =>
        normalized(x, 1e-5, setOf).map((v, i) => v * weight[channelOf(i)] + bias[channelOf(i)]),
    };
  },
  embedding(random) {
    const [tokens, width] = [from1(random, 9), from1(random, 9)];
    return {
      layer: nn.embedding(tokens, width),
      input: [from1(random, 6)],
      tokens,
      plain: (x, { weight }) =>
        Float64Array.from(
          { length: x.length * width },
          (_, i) => weight[x[Math.floor(i / width)] * width + (i % width)],
        ),
    };
  },
  positionEmbedding(random) {
    const input = [from1(random, 6), from1(random, 9)];
    return {
      layer: nn.positionEmbedding(),
      input,
      plain: (x, { weight }) => x.map((v, i) => v + weight[i % weight.length]),
    };
  },
  selfAttention(random) {
    const heads = from1(random, 3);
    const input = [from1(random, 18), heads * from1(random, 3)];
    const causal = flip(random);
    const layer = nn.selfAttention({ heads, causal, bias: flip(random) });
    return { layer, input, plain: attention(input[0], input[1], heads, causal) };
  },
  residual(random) {
    const input = [from1(random, 4), from1(random, 6)];
    const inputs = input[1];
    return {
      layer: nn.residual([nn.linear(9), nn.tanh(), nn.residual([nn.linear(9)]), nn.linear(inputs)]),
      input,
      plain(x, p) {
        const first = dense(x, p["0.weight"], p["0.bias"], inputs).map(Math.tanh);
        const inner = dense(first, p["2.0.weight"], p["2.0.bias"], 9).map((v, i) => v + first[i]);
        return dense(inner, p["3.weight"], p["3.bias"], 9).map((v, i) => v + x[i]);
      },
    };
  },
};
