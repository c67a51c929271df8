// MNIST as the page loads it: all labels, a byte each, then all images, two pixels a byte in 16 shades of grey, and gzip
// around it: 3.8 MB for 30,000 + 10,000 images.

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
const PACKED = PIXELS / 2;
const SHADES = 15;

/** Images, a byte a pixel, and what they show. */
interface Source {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** Packs the first `count` images; not yet compressed. */
export function pack({ images, labels }: Source, count: number): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(count * (1 + PACKED));
  packed.set(labels.subarray(0, count));
  const shade = (pixel: number): number => Math.round((images[pixel] / 255) * SHADES);
  for (let i = 0; i < count * PACKED; i++) packed[count + i] = (shade(2 * i) << 4) | shade(2 * i + 1);
  return packed;
}

/** Packed images and their labels. They stay packed: as float32 they would take 94 MB. */
export class Digits {
  readonly count: number;
  readonly labels: Uint8Array;
  readonly #images: Uint8Array;

  /** @throws RangeError when the length is not that of whole images. */
  constructor(packed: Uint8Array) {
    const count = packed.length / (1 + PACKED);
    if (!Number.isInteger(count))
      throw new RangeError(`Digits: "packed" expected whole images, got ${packed.length} bytes`);
    this.count = count;
    this.labels = packed.subarray(0, count);
    this.#images = packed.subarray(count);
  }

  /** Writes the pixels of an image, from 0 to 1, into row `row` of `x`. */
  unpack(image: number, x: Float32Array, row = 0): void {
    let at = row * PIXELS;
    const end = (image + 1) * PACKED;
    for (let i = image * PACKED; i < end; i++) {
      const two = this.#images[i];
      x[at++] = (two >> 4) / SHADES;
      x[at++] = (two & SHADES) / SHADES;
    }
  }
}
