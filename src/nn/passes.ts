// What training and evaluation do with rows of data that have been read.
import type { BaseNetwork } from "./base-network.js";
import { flag } from "../util/check.js";
import type { Floats, Indices } from "./data.js";
import { readRecord } from "./options.js";

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

/** Rows of inputs and of targets, each in one list. */
export interface Data {
  readonly x: Floats | Indices;
  readonly y: Floats | Indices;
  readonly rows: number;
}

/** Checks inputs and targets, and makes one list of each. */
export function readData(network: BaseNetwork, owner: string, x: unknown, y: unknown): Data {
  const { input, inputs, criterion } = network.built;
  const read = input.safe(input.read(owner, x));
  const rows = read.length / inputs;
  const targets = criterion.read(owner, y, rows);
  input.checkImages(owner, read);
  return { x: read, y: targets, rows };
}

/** Computes the outputs of so many rows, by default in the mode of the network, and adds their losses to `criterion.sum`. */
export function addLosses(
  network: BaseNetwork,
  x: Floats | Indices,
  y: Floats | Indices,
  first: number,
  rows: number,
  training?: boolean,
): void {
  const { input, criterion, engine } = network.built;
  network.begin(rows, training);
  criterion.load(y, first, rows);
  input.load(x, first, rows);
  engine.forward();
  criterion.add(rows);
}

/** `Network.trainBatch`, which leaves the mean loss in `criterion.sum`: see there why. */
export function trainOn(
  network: BaseNetwork,
  x: unknown,
  y: unknown,
  options: { accumulate?: boolean | undefined } | undefined,
): void {
  const { owner, criterion, input, engine } = network.built;
  const given = options && readRecord(owner, options, { accumulate: flag });
  const read = input.safe(network.readBatch(x));
  const rows = network.rowsOf(read);
  const targets = criterion.read(owner, y, rows);
  input.checkImages(owner, read);
  criterion.sum[0] = 0;
  addLosses(network, read, targets, 0, rows);
  engine.backward(false, given?.accumulate === true);
  criterion.sum[0] /= criterion.terms(targets, 0, rows);
}
