// What training and evaluation do with rows of data that have been read.
import type { BaseNetwork } from "./base-network.js";
import { flag, wrongValue } from "../util/check.js";
import { readKinds } from "../util/options.js";
import type { Floats, Indices } from "./data.js";
import type { Sums } from "./losses.js";

/** What `evaluate` returns. */
export interface Evaluation {
  /** The mean loss. */
  loss: number;
  /**
   * Fraction of labels, in [0, 1], whose output is the largest of their row (the first of equal ones), and none is NaN; NaN
   * for losses without classes.
   */
  accuracy: number;
}

/** Rows of inputs and of targets, each in one list, and which of them count, in order. */
export interface Data {
  readonly x: Floats | Indices;
  readonly y: Floats | Indices;
  readonly order: Uint32Array;
}

/** Checks inputs and targets of one or more rows, and makes one list of each. */
export function readData(network: BaseNetwork, owner: string, x: unknown, y: unknown): Data {
  const { input, inputs, criterion } = network.built;
  const read = input.safe(owner, network.read(x, owner));
  const rows = read.length / inputs;
  if (rows < 1) throw wrongValue(owner, "x", `at least one row of ${inputs}`, x);
  return { x: read, y: criterion.read(owner, y, rows), order: new Uint32Array(rows).map((_, i) => i) };
}

/** Computes the outputs of so many rows, by default in the mode of the network, and adds up their losses. */
export function addLosses(
  network: BaseNetwork,
  x: Floats | Indices,
  y: Floats | Indices,
  first: number,
  rows: number,
  sums: Sums,
  training?: boolean,
): void {
  const { input, criterion, engine } = network.built;
  network.begin(rows, training);
  criterion.load(y, first, rows, sums);
  input.load(x, first, rows);
  engine.forward();
  criterion.add(rows, sums);
}

/** Loss and accuracy of the rows that have been added up. */
export const meansOf = ([loss, terms, correct]: Sums): Evaluation => ({
  loss: loss / terms,
  accuracy: correct / terms,
});

/** Of one batch. */
export const batch: Sums = /* @__PURE__ */ new Float64Array(3);

/** `Network.trainBatch`, which leaves the mean loss in `batch[0]`: an engine may allocate memory for a number that is returned. */
export function trainOn(
  network: BaseNetwork,
  x: unknown,
  y: unknown,
  options: { accumulate?: boolean | undefined } | undefined,
): void {
  const { owner, criterion, input, inputs, engine } = network.built;
  const accumulate = options && readKinds(owner, options, { accumulate: flag }, { accumulate: false }).accumulate;
  const read = input.safe(owner, network.readBatch(x));
  const rows = read.length / inputs;
  const targets = criterion.read(owner, y, rows);
  batch[0] = batch[1] = 0;
  addLosses(network, read, targets, 0, rows, batch);
  engine.backward(false, accumulate === true);
  batch[0] /= batch[1];
}
