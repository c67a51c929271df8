// The input of a network that begins with an embedding: tokens. Only embeddings import this file.
import { type Indices, checkIndices, isIndices, readRows } from "./data.js";
import { InputBuffer } from "./input.js";

/** Tokens in [0, limit). */
export const tokensBelow =
  (limit: number) =>
  (...args: ConstructorParameters<typeof InputBuffer>): InputBuffer =>
    new TokenBuffer(limit, ...args);

const asTokens = (size: number): string => `tokens in an integer array, in rows of ${size}`;

class TokenBuffer extends InputBuffer {
  readonly #limit: number;
  /** Begins the messages of the embedding. */
  readonly #owner: string;
  readonly #tokens: Int32Array;
  override readonly hasTokens = true;

  constructor(limit: number, ...[arena, kernels, program, { rows }]: ConstructorParameters<typeof InputBuffer>) {
    super(arena, kernels, program, { rows, inputScale: 1 });
    this.#limit = limit;
    this.#owner = program.nodes[0].owner;
    this.#tokens = new Int32Array(arena.buffer, program.input.at, rows * program.inputs);
  }

  override read(_: string, x: unknown): Indices {
    const indices = readRows(this.#owner, "x", x, isIndices, asTokens, this.size);
    checkIndices(this.#owner, "x", indices, "a token", this.#limit);
    return indices;
  }

  override load(x: Indices, first: number, rows: number): void {
    const { size } = this;
    for (let i = 0; i < rows * size; i++) this.#tokens[i] = Number(x[first * size + i]);
  }
}
