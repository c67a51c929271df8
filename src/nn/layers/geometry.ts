// The geometry of a convolution, which its kernels read (assembly/nn/geometry.ts): sizes, tables of offsets, and the weights in
// the order in which they are read.
import { LISTS_BYTES } from "../../wasm/generated/layout/products.js";

const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

/** Channels, height and width; pairs are height and width. */
interface Sizes {
  readonly image: readonly number[];
  readonly output: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  /** Zeros before the image, or if negative what is left out of it. */
  readonly before: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  /** Whether products with zeros are computed too. */
  readonly all: boolean;
}

export class Geometry {
  /** Bytes of all of it. */
  readonly bytes: number;
  /** Bytes of the sum of a group's gradients. */
  readonly partial: number;
  /** Bytes of scratch for each thread. */
  readonly scratch: number;
  readonly #sizes: Sizes;
  /** All but the addresses and the weights, in the order of the fields, then the tables. */
  readonly #words: Int32Array;
  /** Index in `#words` of the tables' addresses, and their offsets. */
  readonly #offsets: readonly number[];
  readonly #run: number;
  readonly #vectors: number;

  constructor(sizes: Sizes) {
    const { image, output, kernel, stride, before, dilation, groups, all } = sizes;
    const whole = groups === 1 && dilation[1] === 1;
    const run = whole ? kernel[1] * image[0] : image[0] / groups;
    const runs = whole ? kernel[0] : kernel[0] * kernel[1];
    const ofRun = Math.ceil(run / 4);
    const vectors = roundUp(runs * ofRun, 4);
    const frame = [0, 1].map((i) => (output[i + 1] - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1);
    const [pixel, line] = [4 * image[0], 4 * image[0] * frame[1]];
    const frameBytes = roundUp(4 * image[0] * frame[0] * frame[1] + 16, 64);
    this.#sizes = sizes;
    this.#run = run;
    this.#vectors = vectors;
    this.scratch = 128 + frameBytes + LISTS_BYTES;
    this.partial = output[0] * vectors * 16 + roundUp(4 * output[0], 64);

    const pixels: number[] = [];
    for (let y = 0; y < output[1]; y++)
      for (let x = 0; x < output[2]; x++) pixels.push(y * stride[0] * line + x * stride[1] * pixel);
    const starts = Array.from({ length: runs }, (_, i) =>
      whole
        ? i * dilation[0] * line
        : Math.floor(i / kernel[1]) * dilation[0] * line + (i % kernel[1]) * dilation[1] * pixel,
    );
    const [places, lanes] = [new Array<number>(vectors).fill(0), new Array<number>(vectors).fill(0)];
    for (let v = 0; v < runs * ofRun; v++) {
      places[v] = starts[Math.floor(v / ofRun)] + 16 * (v % ofRun);
      lanes[v] = Math.min(4, run - 4 * (v % ofRun));
    }
    const fields = [
      ...[...image, output[0], ...kernel, ...before, ...dilation, groups, output[1], output[2], ...frame],
      ...[run, runs, vectors, all ? 1 : 0, stride[1], this.scratch],
    ];
    const tables = [pixels, starts, places, lanes].map((table) => roundUp(table.length, 16));
    const offsets = [128];
    for (const length of tables) offsets.push(offsets[offsets.length - 1] + 4 * length);
    const panels = groups * Math.ceil(output[0] / groups / 16) * run * runs * 64;
    offsets.push(offsets[4] + panels);
    this.bytes = roundUp(offsets[5] + output[0] * vectors * 16, 64);
    this.#offsets = offsets;
    this.#words = new Int32Array(offsets[4] / 4);
    this.#words.set(fields);
    [pixels, starts, places, lanes].forEach((table, i) => this.#words.set(table, offsets[i] / 4));
    this.#fields = fields.length;
  }
  readonly #fields: number;

  /** Writes all but the weights. */
  write(words: Int32Array, at: number): void {
    words.set(this.#words, at / 4);
    for (let i = 0; i < 6; i++) words[at / 4 + this.#fields + i] = at + this.#offsets[i];
  }

  /**
   * Writes the weights for the forward pass, and with `gradients` those for dx by lists. `turned`: the geometry is that of dx, for
   * which channels and outputs change places and the kernel is turned round.
   */
  writeWeights(floats: Float32Array, at: number, weight: number, gradients: boolean, turned: boolean): void {
    const { image, output, kernel, groups } = this.#sizes;
    const taps = kernel[0] * kernel[1];
    const channels = image[0] / groups;
    const outputs = output[0] / groups;
    const steps = taps * channels;
    const blocks = Math.ceil(outputs / 16);
    const run = this.#run;
    const paddedRun = 4 * Math.ceil(run / 4);
    const wide = 4 * this.#vectors;
    const panels = (at + this.#offsets[4]) / 4;
    const rows = (at + this.#offsets[5]) / 4;
    floats.fill(0, panels, gradients ? (at + this.bytes) / 4 : rows);
    const ofOutput = turned ? taps : channels * taps;
    const ofChannel = turned ? outputs * taps : taps;
    for (let group = 0; group < groups; group++)
      for (let o = 0; o < outputs; o++) {
        const panel = panels + (group * blocks + (o >> 4)) * steps * 16 + (o & 15);
        const row = rows + (group * outputs + o) * wide;
        for (let c = 0; c < channels; c++) {
          const from = weight / 4 + group * outputs * steps + o * ofOutput + c * ofChannel;
          for (let tap = 0; tap < taps; tap++) {
            const x = floats[from + (turned ? taps - 1 - tap : tap)];
            const step = tap * channels + c;
            floats[panel + 16 * step] = x;
            if (gradients) floats[row + Math.floor(step / run) * paddedRun + (step % run)] = x;
          }
        }
      }
  }
}
