// What the page and its worker tell each other.

export type Request = "train" | "pause" | "restart";

/** The first message: points [count, 2] in a square from -1 to 1, and their classes. */
export interface Start {
  readonly x: Float32Array;
  readonly y: Uint8Array;
}

export interface Report {
  /** Of how many. */
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly accuracy: number;
  /** Steps a second, of a whole slice of training. */
  readonly speed: number | undefined;
  /** How sure the network is of class 1 at each place, from -1, which is class 0, to 1. */
  readonly sure: Float32Array;
}
