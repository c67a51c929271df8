// Tests that every kernel is divided among threads, or listed here with the reason why not.
import { expect, test } from "vitest";
import { Arena } from "../../src/index.js";
import { products, reductions, sweeps } from "../../src/threads/kernels.js";

const undivided = {
  adafactor: "its factors are sums over rows and columns",
  pack: "only the caller has scratch for unpacked state",
  unpack: "only the caller has scratch for unpacked state",
  gatherRows: "sparse rows are few",
  scatterRows: "sparse rows are few",
  addBias: "short beside the product before it",
  denseBias: "short beside the product before it",
  transpose: "short beside the convolutions around it",
  convertBytes: "short beside the product after it, and in place",
  crossEntropy: "its rows are as short as there are classes",
  squaredError: "its rows are as short as there are outputs",
  takePart: "tells a thread which part of a product to compute",
};

test("every kernel is in one of the threads' tables, or in the list of those that are not divided", () => {
  const { kernels } = new Arena({ capacity: 2 ** 16 });
  const listed = [...Object.keys(sweeps), ...Object.keys(reductions), ...products, ...Object.keys(undivided)];
  const functions = Object.entries(kernels).flatMap(([name, value]) => (typeof value === "function" ? [name] : []));
  expect(listed.sort()).toEqual(functions.sort());
});
