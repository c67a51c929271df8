// The input of a network that begins with an embedding: tokens. Only embeddings import this file.
import type { Arena } from "../memory/arena.js";
import type { NetworkKernels } from "../wasm/generated/nn-kernels.js";
import { type Indices, checkIndices, isIndices, readRows } from "./data.js";
import { type Form, InputBuffer } from "./input.js";
import type { Span } from "./memory.js";

/** Tokens in [0, limit). */
export const tokensBelow =
  (limit: number) =>
  (...args: ConstructorParameters<typeof InputBuffer>): InputBuffer =>
    new TokenBuffer(limit, ...args);

const asTokens = (size: number): string => `tokens in an integer array, in rows of ${size}`;

class TokenBuffer extends InputBuffer {
  readonly #limit: number;
  readonly #form: Form;
  readonly #tokens: Int32Array;
  override readonly hasTokens = true;

  constructor(limit: number, arena: Arena, kernels: NetworkKernels, form: Form, rows: number, span: Span) {
    super(arena, kernels, { ...form, scale: 1 }, rows, span);
    this.#limit = limit;
    this.#form = form;
    this.#tokens = new Int32Array(arena.buffer, span.at, rows * form.size);
  }

  override read(_: string, x: unknown): Indices {
    const { size, owner } = this.#form;
    const indices = readRows(owner, "x", x, isIndices, asTokens, size);
    checkIndices(owner, "x", indices, "a token", this.#limit);
    return indices;
  }

  override load(x: Indices, first: number, rows: number): void {
    const { size } = this.#form;
    for (let i = 0; i < rows * size; i++) this.#tokens[i] = Number(x[first * size + i]);
  }
}
