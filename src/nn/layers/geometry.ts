// The geometry of a convolution, which its kernels read (assembly/nn/geometry.ts): sizes, tables of offsets, and the weights in
// the order in which they are read.
import { LISTS_BYTES } from "../../wasm/generated/layout/products.js";

const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

/** Index of the first of the fields that are addresses, and the bytes of all fields. */
const ADDRESSES = 30;
const FIELDS = 192;
/** The bits of a NaN. */
const NAN = 0x7fc00000;

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
  readonly #frameBytes: number;
  readonly #run: number;
  readonly #runs: number;
  readonly #vectors: number;
  /** Byte offsets of the tables (see the addresses in assembly/nn/geometry.ts), the panels and the rows. */
  readonly #offsets: readonly number[];
  /** Byte offsets of an output's weights, in PyTorch's order, in its row of vectors. */
  readonly #order: readonly number[];
  /** The fields and the tables, with addresses relative to the beginning; made when they are first needed. */
  #words: Int32Array | undefined;

  constructor(sizes: Sizes) {
    const { image, output, kernel, stride, dilation, groups } = sizes;
    const whole = groups === 1 && dilation[1] === 1;
    const run = whole ? kernel[1] * image[0] : image[0] / groups;
    const runs = whole ? kernel[0] : kernel[0] * kernel[1];
    const vectors = roundUp(runs * Math.ceil(run / 4), 4);
    const frame = [0, 1].map((i) => (output[i + 1] - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1);
    const panels = groups * Math.ceil(output[0] / groups / 16) * run * runs * 64;
    const taps = kernel[0] * kernel[1];
    const channels = image[0] / groups;
    this.#order = Array.from({ length: channels * taps }, (_, i) => {
      const step = (i % taps) * channels + Math.floor(i / taps);
      return 4 * (Math.floor(step / run) * roundUp(run, 4) + (step % run));
    });
    const offsets = [FIELDS];
    for (const elements of [output[1] * output[2], runs, vectors, vectors, vectors / 4, channels * taps])
      offsets.push(offsets[offsets.length - 1] + roundUp(4 * elements, 64));
    offsets.push(offsets[6] + panels);
    this.bytes = roundUp(offsets[7] + output[0] * vectors * 16, 64);
    this.partial = output[0] * vectors * 16 + roundUp(4 * output[0], 64);
    this.#frameBytes = roundUp(4 * image[0] * frame[0] * frame[1] + 16, 64); // a vector may begin in the last float
    this.scratch = 128 + this.#frameBytes + LISTS_BYTES;
    this.#sizes = sizes;
    this.#frame = frame;
    this.#run = run;
    this.#runs = runs;
    this.#vectors = vectors;
    this.#offsets = offsets;
  }

  #tables(): Int32Array {
    const { image, output, kernel, stride, before, dilation, groups, all } = this.#sizes;
    const [run, runs, vectors, offsets] = [this.#run, this.#runs, this.#vectors, this.#offsets];
    const [frame, order] = [this.#frame, this.#order];
    const pixel = 4 * image[0];
    const line = pixel * frame[1];
    const outputs = output[0] / groups;
    const pixelList = 8 * outputs + 8;
    const block = Math.max(4, Math.floor((LISTS_BYTES - pixelList - 8) / pixelList / 4) * 4);
    const pixels = output[1] * output[2];
    // Image and frame: where what they have in common begins in each, in rows and columns, and its size.
    const inImage = before.map((n) => Math.max(0, -n));
    const inFrame = before.map((n) => Math.max(0, n));
    const common = [0, 1].map((i) => Math.max(0, Math.min(image[i + 1] - inImage[i], frame[i] - inFrame[i])));
    const words = new Int32Array(offsets[6] / 4);
    const framed = before.some((n) => n !== 0) || frame[0] > image[1] || frame[1] !== image[2];
    words.set([
      ...[
        Math.min(pixels * output[0] * order.length, 2 ** 31 - 1),
        groups,
        outputs,
        pixel / groups,
        4 * output[0],
        pixel * image[1] * image[2],
        4 * output[0] * pixels,
        pixels,
      ],
      ...[output[2], stride[1] * pixel, framed ? 1 : 0, this.#frameBytes],
      ...[(inImage[0] * image[2] + inImage[1]) * pixel, inFrame[0] * line + inFrame[1] * pixel],
      ...[pixel * image[2], line, common[0], common[1] * pixel, 4 * run, runs, 64 * run * runs, vectors, 16 * vectors],
      ...[order.length, this.partial, all ? NAN : 0, block, 8 * Math.min(block, pixels) + 8, pixelList, this.scratch],
      ...offsets,
    ]);
    const [starts, runStarts, places, lanes, pieces, orders] = offsets.map((offset) => offset / 4);
    words.set(order, orders);
    for (let y = 0, at = starts; y < output[1]; y++)
      for (let x = 0; x < output[2]; x++) words[at++] = y * stride[0] * line + x * stride[1] * pixel;
    const ofRun = Math.ceil(run / 4);
    for (let i = 0; i < runs; i++) {
      const [row, column] = runs === kernel[0] ? [i, 0] : [Math.floor(i / kernel[1]), i % kernel[1]];
      words[runStarts + i] = row * dilation[0] * line + column * dilation[1] * pixel;
      for (let v = 0; v < ofRun; v++) {
        words[places + i * ofRun + v] = words[runStarts + i] + 16 * v;
        words[lanes + i * ofRun + v] = Math.min(4, run - 4 * v);
      }
    }
    for (let v = 0; v + 8 <= vectors; v += 4) {
      const whole = words[places + v + 7] === words[places + v] + 112 && words[lanes + v + 7] === 4;
      if (!whole) continue;
      words[pieces + v / 4] = 1;
      v += 4;
      words[pieces + v / 4] = 2;
    }
    return words;
  }

  /** Writes all but the weights. */
  write(words: Int32Array, at: number): void {
    const own = (this.#words ??= this.#tables());
    words.set(own, at / 4);
    for (let i = 0; i < this.#offsets.length; i++) words[at / 4 + ADDRESSES + i] += at;
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
    const wide = 4 * this.#vectors;
    const panels = (at + this.#offsets[6]) / 4;
    const rows = (at + this.#offsets[7]) / 4;
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
            floats[panel + 16 * (tap * channels + c)] = x;
            if (gradients) floats[row + this.#order[c * taps + tap] / 4] = x;
          }
        }
      }
  }
}
