// One random case of each kernel: inputs and attributes as TensorFlow.js passes them, of every kind that the kernel takes.
import * as tf from "@tensorflow/tfjs";
import { random } from "../support/harness.js";

/** A case: what `tf.engine().runKernel` gets, and the right result where the cpu backend's is wrong. */
export interface Case {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, Input>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly expected?: Result;
}
interface Result {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}
interface Input {
  readonly values: Float32Array | Int32Array;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
}

/** Draws from a seeded generator. */
class Draw {
  readonly next: () => number;
  constructor(seed: number) {
    this.next = random(Math.imul(seed, 0x9e3779b1));
    for (let i = 0; i < 9; i++) this.next();
  }
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }
  one<T>(...choices: T[]): T {
    return choices[this.int(0, choices.length - 1)];
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
  /** A size, now and then 0. */
  size(most: number): number {
    return this.chance(0.01) ? 0 : this.int(1, most);
  }
  floats(shape: readonly number[], scale = 1): Input {
    const values = Float32Array.from(
      { length: tf.util.sizeFromShape([...shape]) },
      () => scale * (2 * this.next() - 1),
    );
    return { values, shape, dtype: "float32" };
  }
  ints(shape: readonly number[], from: number, to: number): Input {
    const values = Int32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => this.int(from, to));
    return { values, shape, dtype: "int32" };
  }
  shuffled<T>(list: readonly T[]): T[] {
    return list
      .map((value) => ({ value, key: this.next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ value }) => value);
  }
}

/** Strides, padding and rounding, and the sizes of an image and of a window that fit them. */
function windows(draw: Draw, { square = false, channelsFirst = false } = {}) {
  for (;;) {
    const [height, width] = [draw.int(1, 11), draw.int(1, 11)];
    const filter = [draw.int(1, 4), draw.int(1, 4)] as [number, number];
    const strides = [draw.int(1, 3), draw.int(1, 3)] as [number, number];
    if (square) strides[1] = strides[0];
    const sides = Array.from({ length: 4 }, () => draw.int(0, 2));
    const none = [0, 0];
    const rows = [sides.slice(0, 2), sides.slice(2)];
    const explicit = channelsFirst ? [none, none, ...rows] : [none, ...rows, none];
    const pad = draw.one<unknown>("valid", "same", draw.int(0, 2), explicit);
    const dimRoundingMode = typeof pad === "string" ? undefined : draw.one("floor", "ceil", "round");
    try {
      const info = tf.backend_util.computePool2DInfo(
        ...([[1, height, width, 1], filter, strides, 1, pad, dimRoundingMode] as unknown as Parameters<
          typeof tf.backend_util.computePool2DInfo
        >),
      );
      const { outHeight, outWidth } = info;
      if (outHeight > 0 && outWidth > 0)
        return { height, width, filter, strides, pad, dimRoundingMode, outHeight, outWidth };
    } catch {
      // TensorFlow.js refuses these.
    }
  }
}

function convolution(draw: Draw) {
  const channelsFirst = draw.chance(0.2);
  // computePool2DInfo takes explicit padding with channels last.
  const { height, width, filter, pad, outHeight, outWidth, ...attrs } = windows(draw);
  const padding = channelsFirst && Array.isArray(pad) ? [pad[0], pad[3], pad[1], pad[2]] : pad;
  const [images, channels, outputs] = [draw.int(1, 3), draw.one(1, 2, 3, 4, 5, 8, 17), draw.one(1, 2, 3, 7, 16, 18)];
  const shape = (h: number, w: number, c: number) => (channelsFirst ? [images, c, h, w] : [images, h, w, c]);
  return {
    x: shape(height, width, channels),
    filter: [...filter, channels, outputs],
    dy: shape(outHeight, outWidth, outputs),
    attrs: { ...attrs, pad: padding, dataFormat: channelsFirst ? "NCHW" : "NHWC" },
  };
}

function depthwise(draw: Draw) {
  const { height, width, filter, outHeight, outWidth, ...attrs } = windows(draw);
  const [images, channels, multiplier] = [draw.int(1, 3), draw.int(1, 9), draw.one(1, 1, 2, 3)];
  return {
    x: [images, height, width, channels],
    filter: [...filter, channels, multiplier],
    dy: [images, outHeight, outWidth, channels * multiplier],
    attrs: { ...attrs, dilations: [1, 1] },
  };
}

function volume(draw: Draw) {
  const sizes = [draw.int(1, 5), draw.int(1, 7), draw.int(1, 7)];
  const filter = sizes.map((size) => draw.int(1, Math.min(3, size)));
  const strides = sizes.map(() => draw.int(1, 2));
  const pad = draw.one("same", "valid");
  const out = sizes.map((size, i) => Math.ceil((size + (pad === "same" ? 0 : 1 - filter[i])) / strides[i]));
  const [images, channels, outputs] = [draw.int(1, 2), draw.one(1, 2, 3, 5), draw.one(1, 2, 3, 17)];
  return {
    x: [images, ...sizes, channels],
    filter: [...filter, channels, outputs],
    dy: [images, ...out, outputs],
    attrs: { strides, pad },
  };
}

/** Shapes of two batches of matrices, one of which may be broadcast to the other. */
function matrices(draw: Draw, batched: boolean) {
  const [m, k, n] = [draw.size(20), draw.chance(0.1) ? draw.int(250, 600) : draw.size(40), draw.size(40)];
  const [transposeA, transposeB] = [draw.chance(0.5), draw.chance(0.5)];
  const batch = batched ? Array.from({ length: draw.int(0, 2) }, () => draw.int(1, 3)) : [draw.int(1, 3)];
  const outer = (): number[] =>
    draw.one(
      [...batch],
      batch.map(() => 1),
      batched ? [] : [...batch],
    );
  const a = [...outer(), ...(transposeA ? [k, m] : [m, k])];
  const b = [...outer(), ...(transposeB ? [n, k] : [k, n])];
  return { a, b, m, n, transposeA, transposeB };
}

function einsum(draw: Draw): Case {
  const labels = draw.shuffled(Array.from("abcdef")).slice(0, draw.int(1, 5));
  const size = Object.fromEntries(labels.map((label) => [label, draw.int(1, 5)]));
  const terms = Array.from({ length: draw.int(1, 2) }, () =>
    draw.shuffled(labels).slice(0, draw.int(1, labels.length)),
  );
  const known = labels.filter((label) => terms.some((term) => term.includes(label)));
  const result = draw.shuffled(known).slice(0, draw.int(0, known.length));
  const whole = draw.chance(0.15);
  const inputs = terms.map((term) => {
    const shape = term.map((label) => size[label]);
    return whole ? draw.ints(shape, -9, 9) : draw.floats(shape);
  });
  // The cpu backend sums wrong axes if one is in one operand only.
  const shape = result.map((label) => size[label]);
  const sums = new Float64Array(tf.util.sizeFromShape(shape));
  const indexOf = (place: Readonly<Record<string, number>>, axes: readonly string[]): number =>
    axes.reduce((index, label) => index * size[label] + place[label], 0);
  const visit = (place: Readonly<Record<string, number>>, labels: readonly string[]): void => {
    if (labels.length > 0)
      for (let i = 0; i < size[labels[0]]; i++) visit({ ...place, [labels[0]]: i }, labels.slice(1));
    else sums[indexOf(place, result)] += terms.reduce((x, term, i) => x * inputs[i].values[indexOf(place, term)], 1);
  };
  visit({}, known);
  return {
    kernel: "Einsum",
    inputs: Object.fromEntries(inputs.map((input, i) => [String(i), input])),
    attrs: { equation: `${terms.map((term) => term.join("")).join(",")}->${result.join("")}` },
    expected: { values: Float32Array.from(sums), shape },
  };
}

const shapeOf = (draw: Draw, rank: number, most: number): number[] =>
  Array.from({ length: rank }, () => draw.size(most));
const elementwise =
  (kernel: string, least: number, most: number) =>
  (draw: Draw): Case => {
    const x = draw.floats(shapeOf(draw, draw.int(0, 3), 12));
    return {
      kernel,
      inputs: { x: { ...x, values: x.values.map((v) => least + ((v + 1) / 2) * (most - least)) } },
      attrs: {},
    };
  };

/** A generator of cases for each kernel. */
export const cases: Readonly<Record<string, (draw: Draw) => Case>> = {
  Conv2DBackpropFilter: (draw) => {
    const { x, filter, dy, attrs } = convolution(draw);
    const inputs = { x: draw.floats(x), dy: draw.floats(dy) };
    return { kernel: "Conv2DBackpropFilter", inputs, attrs: { ...attrs, filterShape: filter } };
  },
  Conv2DBackpropInput: (draw) => {
    const { x, filter, dy, attrs } = convolution(draw);
    const inputs = { dy: draw.floats(dy), filter: draw.floats(filter) };
    return { kernel: "Conv2DBackpropInput", inputs, attrs: { ...attrs, inputShape: x } };
  },
  Conv3DBackpropFilterV2: (draw) => {
    const { x, filter, dy, attrs } = volume(draw);
    const inputs = { x: draw.floats(x), dy: draw.floats(dy) };
    return { kernel: "Conv3DBackpropFilterV2", inputs, attrs: { ...attrs, filterShape: filter } };
  },
  Conv3DBackpropInputV2: (draw) => {
    const { x, filter, dy, attrs } = volume(draw);
    const inputs = { dy: draw.floats(dy), filter: draw.floats(filter) };
    return { kernel: "Conv3DBackpropInputV2", inputs, attrs: { ...attrs, inputShape: x } };
  },
  DepthwiseConv2dNativeBackpropFilter: (draw) => {
    const { x, filter, dy, attrs } = depthwise(draw);
    const inputs = { x: draw.floats(x), dy: draw.floats(dy) };
    return { kernel: "DepthwiseConv2dNativeBackpropFilter", inputs, attrs: { ...attrs, filterShape: filter } };
  },
  DepthwiseConv2dNativeBackpropInput: (draw) => {
    const { x, filter, dy, attrs } = depthwise(draw);
    const inputs = { dy: draw.floats(dy), filter: draw.floats(filter) };
    return { kernel: "DepthwiseConv2dNativeBackpropInput", inputs, attrs: { ...attrs, inputShape: x } };
  },
  MaxPoolGrad: (draw) => {
    const halving = draw.chance(0.2);
    const { height, width, filter, outHeight, outWidth, ...attrs } = halving
      ? { height: 4, width: 6, filter: [2, 2], strides: [2, 2], pad: "valid", outHeight: 2, outWidth: 3 }
      : windows(draw);
    const [images, channels] = [draw.int(1, 3), draw.int(1, 9)];
    const input = draw.floats([images, height, width, channels], 3);
    // Equal maxima, and now and then what is no number.
    if (draw.chance(0.5)) input.values.forEach((v, i) => (input.values[i] = draw.chance(0.02) ? NaN : Math.round(v)));
    const dy = draw.floats([images, outHeight, outWidth, channels]);
    return { kernel: "MaxPoolGrad", inputs: { dy, input, output: dy }, attrs: { ...attrs, filterSize: filter } };
  },
  UnsortedSegmentSum: (draw) => {
    const [rows, segments] = [draw.size(20), draw.int(1, 9)];
    const shape = [rows, ...shapeOf(draw, draw.int(0, 2), 9)];
    const x = draw.chance(0.3) ? draw.ints(shape, -99, 99) : draw.floats(shape);
    const inputs = { x, segmentIds: draw.ints([rows], -1, segments) };
    return { kernel: "UnsortedSegmentSum", inputs, attrs: { numSegments: segments } };
  },
  GatherV2: (draw) => {
    const batchDims = draw.int(0, 1);
    const batch = Array.from({ length: batchDims }, () => draw.int(1, 3));
    const outer = shapeOf(draw, draw.int(0, 1), 4);
    const shape = [...batch, ...outer, draw.int(1, 6), ...shapeOf(draw, draw.int(0, 2), 6)];
    const axis = batchDims + outer.length;
    const x = draw.chance(0.3) ? draw.ints(shape, -9, 9) : draw.floats(shape);
    const indices = draw.ints([...batch, ...shapeOf(draw, draw.int(0, 2), 5)], 0, shape[axis] - 1);
    return { kernel: "GatherV2", inputs: { x, indices }, attrs: { axis, batchDims } };
  },
  Einsum: einsum,
  BatchMatMul: (draw) => {
    const { a, b, transposeA, transposeB } = matrices(draw, true);
    const inputs = { a: draw.floats(a), b: draw.floats(b) };
    return { kernel: "BatchMatMul", inputs, attrs: { transposeA, transposeB } };
  },
  _FusedMatMul: (draw) => {
    const { a, b, m, n, transposeA, transposeB } = matrices(draw, false);
    const batch = Math.max(a[0], b[0]);
    const spread = (): Input =>
      draw.floats(draw.one([n], [1, n], [batch, m, n], [1], [m, 1], [1, m, n], [batch, 1, n], []));
    const activation = draw.one("linear", "relu", "relu6", "prelu", "leakyrelu", "sigmoid", "elu");
    const inputs = {
      ...{ a: draw.floats(a), b: draw.floats(b) },
      ...(draw.chance(0.7) ? { bias: spread() } : {}),
      ...(activation === "prelu" ? { preluActivationWeights: spread() } : {}),
    };
    const leakyreluAlpha = draw.next();
    return { kernel: "_FusedMatMul", inputs, attrs: { transposeA, transposeB, activation, leakyreluAlpha } };
  },
  Sum: (draw) => {
    const x = draw.floats(shapeOf(draw, draw.int(1, 4), 20));
    const axis = draw.shuffled([...x.shape.keys()]).slice(0, draw.int(1, x.shape.length));
    return { kernel: "Sum", inputs: { x }, attrs: { axis, keepDims: draw.chance(0.5) } };
  },
  Tile: (draw) => {
    const shape = shapeOf(draw, draw.int(1, 4), 5).map((size) => (draw.chance(0.4) ? 1 : size));
    const x = draw.chance(0.2) ? draw.ints(shape, -9, 9) : draw.floats(shape);
    return { kernel: "Tile", inputs: { x }, attrs: { reps: shape.map(() => draw.one(1, 1, 2, 3)) } };
  },
  Identity: (draw) => ({ kernel: "Identity", inputs: { x: draw.floats(shapeOf(draw, draw.int(0, 3), 5)) }, attrs: {} }),
  Tanh: elementwise("Tanh", -10, 10),
  Erf: elementwise("Erf", -4, 4),
  Exp: elementwise("Exp", -80, 80),
  Sqrt: elementwise("Sqrt", 0, 9),
};

/** Runs a case on the current backend, and returns its result's elements and shape. */
function run({ kernel, attrs }: Case, inputs: Case["inputs"]): Result {
  return tf.tidy(() => {
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([name, { values, shape, dtype }]) => [name, tf.tensor(values, [...shape], dtype)]),
    );
    const given = kernel === "Einsum" ? Object.values(tensors) : tensors;
    const result: tf.Tensor = tf.engine().runKernel(kernel, given as tf.NamedTensorMap, attrs as tf.NamedAttrMap);
    return { values: Float32Array.from(result.dataSync()), shape: result.shape };
  });
}

/** Compares a case's result on the wasm backend with that of the cpu backend; the message says what is wrong with it. */
export async function difference(kernel: string, seed: number): Promise<string | undefined> {
  const it = cases[kernel](new Draw(seed));
  await tf.setBackend("wasm");
  const ours = run(it, it.inputs);
  await tf.setBackend("cpu");
  const theirs = it.expected ?? run(it, it.inputs);
  const about = `seed ${seed}: ${JSON.stringify({ shapes: Object.entries(it.inputs).map(([name, { shape }]) => [name, shape]), attrs: it.attrs })}`;
  if (ours.shape.join() !== theirs.shape.join())
    return `shape ${ours.shape.join()}, expected ${theirs.shape.join()}; ${about}`;
  const largest = theirs.values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const wrong = theirs.values.findIndex((x, i) => !(Math.abs(ours.values[i] - x) <= 1e-5 * largest));
  if (wrong < 0) return undefined;
  return `[${wrong}] is ${ours.values[wrong]}, expected ${theirs.values[wrong]} of at most ${largest}; ${about}`;
}
