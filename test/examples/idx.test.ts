import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { UserError } from "../../examples/command/errors.ts";
import { readDataset } from "../../examples/mnist/idx.ts";
import { classes, columns, idx, names, rows, temporaryFolder, tinyFiles, writeFiles } from "./tiny-files.ts";

const root = temporaryFolder();
const { trainImages, trainLabels, testImages, testLabels } = names;

function folderWith(files: Record<string, Uint8Array>): string {
  const folder = mkdtempSync(join(root, "set-"));
  writeFiles(folder, files);
  return folder;
}

describe("readDataset", () => {
  it("reads pixels, labels, sizes and classes", () => {
    const files = tinyFiles();
    const { train, test, pixels, classes: found } = readDataset(folderWith(files));
    expect([train.count, test.count, pixels, found]).toEqual([130, 30, rows * columns, classes]);
    expect(Buffer.compare(train.images, files[trainImages].subarray(16))).toBe(0);
    expect(Buffer.compare(test.labels, files[testLabels].subarray(8))).toBe(0);
  });

  it.each([
    ["with a dot", (name: string) => name.replace("-idx", ".idx"), (bytes: Uint8Array) => bytes],
    ["compressed", (name: string) => `${name}.gz`, (bytes: Uint8Array) => gzipSync(bytes)],
  ])("finds names %s", (_, rename, pack) => {
    const files = Object.entries(tinyFiles()).map(([name, bytes]) => [rename(name), pack(bytes)] as const);
    expect(readDataset(folderWith(Object.fromEntries(files))).train.count).toBe(130);
  });

  it("takes 256 classes, and labels that count from 1", () => {
    const labels = Uint8Array.from({ length: 130 }, (_, i) => 255 - i);
    expect(readDataset(folderWith({ ...tinyFiles(), [trainLabels]: idx([130], labels) })).classes).toBe(256);
    const fromOne = Uint8Array.from({ length: 1000 }, (_, i) => 1 + (i % 5));
    const images = idx([1000, rows, columns], new Uint8Array(1000 * rows * columns));
    const files = { ...tinyFiles(), [trainImages]: images, [trainLabels]: idx([1000], fromOne) };
    expect(readDataset(folderWith(files)).classes).toBe(6);
  });

  const files = tinyFiles();
  const joined = (name: string, ...more: number[]): Uint8Array => Buffer.concat([files[name], Uint8Array.from(more)]);
  const cut = (name: string, length: number): Record<string, Uint8Array> => ({
    [name]: files[name].subarray(0, length),
  });
  const withLabel = (name: string, at: number, label: number): Record<string, Uint8Array> => {
    const bytes = files[name].slice();
    bytes[8 + at] = label;
    return { [name]: bytes };
  };
  const damage: [string, Record<string, Uint8Array>, RegExp][] = [
    ["labels for images", { [trainImages]: files[trainLabels] }, /no IDX file of images.*00000801.*00000803/],
    ["images for labels", { [testLabels]: files[testImages] }, /no IDX file of labels.*00000803.*00000801/],
    ["text", { [trainLabels]: Buffer.from("<!DOCTYPE html>") }, /train-labels-idx1-ubyte is no IDX file/],
    ["an empty file", cut(trainImages, 0), /no IDX file of images: it starts with ""/],
    ["half a header", cut(trainImages, 9), /9 bytes are too few for a header of 16/],
    ["missing pixels", cut(trainImages, 3000), /train-images-idx3-ubyte is cut short.* make 3136 bytes .* 3000/],
    ["missing labels", cut(testLabels, 37), /t10k-labels-idx1-ubyte is cut short/],
    ["trailing bytes", { [testImages]: joined(testImages, 0) }, /t10k-images-idx3-ubyte is longer than it says/],
    ["trailing labels", { [trainLabels]: joined(trainLabels, 1, 2) }, /train-labels-idx1-ubyte is longer than it says/],
    ["too few labels", { [trainLabels]: idx([129], new Uint8Array(129)) }, /has 130 images, but .* 129 labels/],
    ["a huge count", { [trainLabels]: idx([0xffffffff], new Uint8Array(1)) }, /cut short: 4294967295 labels/],
    [
      "no images",
      { [testImages]: idx([0, 6, 4], new Uint8Array()), [testLabels]: idx([0], new Uint8Array()) },
      /empty/,
    ],
    ["no pixels", { [testImages]: idx([30, 6, 0], new Uint8Array()) }, /empty: 30 images of 6 x 0 pixels/],
    ["another size", { [testImages]: idx([30, 4, 6], files[testImages].subarray(16)) }, /6 x 4 pixels.* of 4 x 6/],
    ["a label to test that was never taught", withLabel(testLabels, 5, 3), /label 3 \(number 5\) is out of range/],
  ];
  it.each(damage)("refuses %s", (_, changed, message) => {
    const folder = folderWith({ ...files, ...changed });
    expect(() => readDataset(folder)).toThrow(message);
    expect(() => readDataset(folder)).toThrow(UserError);
  });

  it("refuses a broken archive, a missing file and a missing folder", () => {
    const rest = Object.fromEntries(Object.entries(files).filter(([name]) => name !== trainLabels));
    expect(() => readDataset(folderWith(rest))).toThrow(/no file train-labels-idx1-ubyte or train-labels.idx1-ubyte/);
    expect(() => readDataset(folderWith({ ...rest, [`${trainLabels}.gz`]: Buffer.from("no") }))).toThrow(/cannot read/);
    expect(() => readDataset(join(root, "nowhere"))).toThrow(/there is no folder .*nowhere/);
  });

  it("refuses a label beyond a class that no image of a large set has", () => {
    const labels = Uint8Array.from({ length: 2000 }, (_, i) => (i === 77 ? 5 : i % classes));
    const images = idx([2000, rows, columns], new Uint8Array(2000 * rows * columns));
    const folder = folderWith({ ...files, [trainImages]: images, [trainLabels]: idx([2000], labels) });
    expect(() => readDataset(folder)).toThrow(/label 5 \(number 77\) is out of range: no image has label 3/);
  });
});
