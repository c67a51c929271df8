// The geometry of a convolution, which its kernels read (assembly/nn/geometry.ts): sizes, tables of offsets, and the weights in
// the order in which they are read.
import { LISTS_BYTES } from "../../wasm/generated/layout/products.js";

const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

/** Index of the first of the fields that are addresses. */
const ADDRESSES = 21;

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
  /** Height and width of the frame. */
  readonly #frame: readonly number[];
  readonly #run: number;
  readonly #runs: number;
  readonly #vectors: number;
  /** Byte offsets of the tables (pixels, runs, places, lanes), the panels and the rows. */
  readonly #offsets: readonly number[];
  /** The fields but for the addresses, and the tables; made when they are first needed. */
  #words: Int32Array | undefined;

  constructor(sizes: Sizes) {
    const { image, output, kernel, stride, dilation, groups } = sizes;
    const whole = groups === 1 && dilation[1] === 1;
    const run = whole ? kernel[1] * image[0] : image[0] / groups;
    const runs = whole ? kernel[0] : kernel[0] * kernel[1];
    const vectors = roundUp(runs * Math.ceil(run / 4), 4);
    const frame = [0, 1].map((i) => (output[i + 1] - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1);
    const panels = groups * Math.ceil(output[0] / groups / 16) * run * runs * 64;
    const offsets = [128];
    for (const elements of [output[1] * output[2], runs, vectors, vectors])
      offsets.push(offsets[offsets.length - 1] + roundUp(4 * elements, 64));
    offsets.push(offsets[4] + panels);
    this.bytes = roundUp(offsets[5] + output[0] * vectors * 16, 64);
    this.partial = output[0] * vectors * 16 + roundUp(4 * output[0], 64);
    this.scratch = 128 + roundUp(4 * image[0] * frame[0] * frame[1] + 16, 64) + LISTS_BYTES;
    this.#sizes = sizes;
    this.#frame = frame;
    this.#run = run;
    this.#runs = runs;
    this.#vectors = vectors;
    this.#offsets = offsets;
  }

  #tables(): Int32Array {
    const { image, output, kernel, stride, before, dilation, groups, all } = this.#sizes;
    const [run, runs, offsets] = [this.#run, this.#runs, this.#offsets];
    const pixel = 4 * image[0];
    const line = pixel * this.#frame[1];
    const words = new Int32Array(offsets[4] / 4);
    words.set([
      ...[...image, output[0], ...kernel, ...before, ...dilation, groups, output[1], output[2], ...this.#frame],
      ...[run, runs, this.#vectors, all ? 1 : 0, stride[1], this.scratch],
    ]);
    const [pixels, starts, places, lanes] = offsets.map((offset) => offset / 4);
    for (let y = 0, at = pixels; y < output[1]; y++)
      for (let x = 0; x < output[2]; x++) words[at++] = y * stride[0] * line + x * stride[1] * pixel;
    const ofRun = Math.ceil(run / 4);
    for (let i = 0; i < runs; i++) {
      const [row, column] = runs === kernel[0] ? [i, 0] : [Math.floor(i / kernel[1]), i % kernel[1]];
      words[starts + i] = row * dilation[0] * line + column * dilation[1] * pixel;
      for (let v = 0; v < ofRun; v++) {
        words[places + i * ofRun + v] = words[starts + i] + 16 * v;
        words[lanes + i * ofRun + v] = Math.min(4, run - 4 * v);
      }
    }
    return words;
  }

  /** Writes all but the weights. */
  write(words: Int32Array, at: number): void {
    const own = (this.#words ??= this.#tables());
    words.set(own, at / 4);
    for (let i = 0; i < 6; i++) words[at / 4 + ADDRESSES + i] = at + this.#offsets[i];
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
