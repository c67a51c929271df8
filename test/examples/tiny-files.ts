// A tiny data set in MNIST's files, and folders to write it to.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "gradstep-mnist-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Bytes of an IDX file. */
export function idx(dimensions: readonly number[], data: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.writeUInt32BE(0x0800 + dimensions.length);
  dimensions.forEach((size, i) => header.writeUInt32BE(size, 4 + 4 * i));
  return Buffer.concat([header, data]);
}

export const names = {
  trainImages: "train-images-idx3-ubyte",
  trainLabels: "train-labels-idx1-ubyte",
  testImages: "t10k-images-idx3-ubyte",
  testLabels: "t10k-labels-idx1-ubyte",
} as const;

export const [rows, columns, classes] = [6, 4, 3];

/** Labels and images of one class a pair of rows: bright rows on a dark, noisy background. */
function samples(count: number, first: number): { images: Uint8Array; labels: Uint8Array } {
  const labels = Uint8Array.from({ length: count }, (_, i) => ((first + i) * 7) % classes);
  const images = Uint8Array.from({ length: count * rows * columns }, (_, at) => {
    const sample = Math.floor(at / (rows * columns));
    const row = Math.floor(at / columns) % rows;
    const noise = ((first * 31 + at) * 7919) % 97;
    return Math.floor(row / 2) === labels[sample] ? 140 + noise : noise;
  });
  return { images, labels };
}

/** The four files of a data set that is learnt in under a second: 130 images to train with, 30 to test. */
export function tinyFiles(): Record<string, Uint8Array> {
  const [train, test] = [samples(130, 0), samples(30, 1000)];
  return {
    [names.trainImages]: idx([130, rows, columns], train.images),
    [names.trainLabels]: idx([130], train.labels),
    [names.testImages]: idx([30, rows, columns], test.images),
    [names.testLabels]: idx([30], test.labels),
  };
}

export function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array>>): void {
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
}
