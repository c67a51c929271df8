// Tests that every kernel is divided among threads, or listed here with the reason why not.
import { expect, test } from "vitest";
import { Arena } from "../../src/index.js";
import { networkCosts } from "../../src/threads/network-costs.js";
import { networkKernels } from "../../src/nn/kernels.js";
import { products, reductions, sweeps } from "../../src/threads/kernels.js";

const undivided = {
  adafactor: "its factors are sums over rows and columns",
  pack: "only the caller has scratch for unpacked state",
  unpack: "only the caller has scratch for unpacked state",
  gatherRows: "sparse rows are few",
  scatterRows: "sparse rows are few",
  centralize: "its rows are short, and it runs once a step",
  takePart: "tells a thread which part of a product to compute",
};

test("every kernel is in one of the threads' tables, or in the list of those that are not divided", () => {
  const { kernels } = new Arena({ capacity: 2 ** 16 });
  const listed = [...Object.keys(sweeps), ...Object.keys(reductions), ...products, ...Object.keys(undivided)];
  const functions = Object.entries(kernels).flatMap(([name, value]) => (typeof value === "function" ? [name] : []));
  expect(listed.sort()).toEqual(functions.sort());
});

const undividedNetwork = {
  channelConstants: "short: a number a channel",
  convolveWeight: "short: it adds up the weights of each group",
  embedGradient: "several tokens add to one row",
  huber: "its rows are as short as there are outputs",
  binaryCrossEntropy: "its rows are as short as there are outputs",
  transpose: "short beside the convolutions around it",
  convertBytes: "short beside the product after it, and in place",
  crossEntropy: "its rows are as short as there are classes",
  squaredError: "its rows are as short as there are outputs",
  takePart: "tells a thread which part to compute",
};

test("every kernel of the networks is divided, or in the list of those that are not", () => {
  const kernels = networkKernels(new Arena({ capacity: 2 ** 16 }));
  expect([...Object.keys(networkCosts), ...Object.keys(undividedNetwork)].sort()).toEqual(Object.keys(kernels).sort());
});
