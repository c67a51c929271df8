// Copies of parameters in their own arena, which an average or Lookahead moves towards them.
import type { Arena } from "../memory/arena.js";
import type { Tensor, Vector } from "../memory/tensor.js";
import { type SavedTensor, checkShape, fieldsOf, readEach, readVector } from "../state/validation.js";

/** Copies of tensors, in the same arena. {@link read}, {@link write} and {@link approach} allocate nothing. */
export class ParameterCopies {
  readonly #owner: string;
  readonly #arena: Arena;
  readonly #blocks: number[] = [];
  readonly #at: number[] = [];
  readonly tensors: Tensor[] = [];
  readonly views: Vector[] = [];

  constructor(owner: string, arena: Arena, tensors: readonly Tensor[]) {
    this.#owner = owner;
    this.#arena = arena;
    this.add(tensors);
  }

  /** Adds copies of tensors as they are now. Throws when the arena has no room; nothing is changed then. */
  add(tensors: readonly Tensor[]): void {
    const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
    let [at] = this.#arena.allocateApart([bytes], this.#owner, "its copy of the parameters");
    if (bytes > 0) this.#blocks.push(at);
    for (const tensor of tensors) {
      this.tensors.push(tensor);
      this.views.push(new Float32Array(this.#arena.buffer, at, tensor.size));
      this.#at.push(at);
      this.#arena.copy(tensor.dataAt, at, tensor.bytes);
      at += tensor.bytes;
    }
  }

  /** Undoes the last {@link add}. */
  remove({ length }: readonly Tensor[]): void {
    const dropped = this.tensors.splice(this.tensors.length - length);
    for (const list of [this.views, this.#at]) list.splice(list.length - length);
    if (dropped.some(({ bytes }) => bytes > 0)) this.#arena.release(this.#blocks.pop() ?? 0);
  }

  /** copy ← θ. */
  read(): void {
    for (let i = 0; i < this.tensors.length; i++)
      this.#arena.copy(this.tensors[i].dataAt, this.#at[i], this.tensors[i].bytes);
  }

  /** θ ← copy. */
  write(): void {
    for (let i = 0; i < this.tensors.length; i++)
      this.#arena.copy(this.#at[i], this.tensors[i].dataAt, this.tensors[i].bytes);
  }

  /** copy ← copy + w(θ − copy). */
  approach(w: number): void {
    const { kernels } = this.#arena;
    for (let i = 0; i < this.tensors.length; i++)
      kernels.approach(this.tensors[i].size, this.#at[i], this.tensors[i].dataAt, w);
  }

  /** Byte addresses of the copies. */
  addresses(): ReadonlyMap<Tensor, number> {
    return new Map(this.tensors.map((tensor, i) => [tensor, this.#at[i]]));
  }

  /** Owned copies of the copies; for `later` tensors, not yet added, their values. */
  save(later: readonly Tensor[] = []): Record<string, SavedTensor> {
    const entry = ({ name, shape }: Tensor, values: Vector): [string, SavedTensor] => [
      name,
      { shape: [...shape], values: values.slice() },
    ];
    return Object.fromEntries([
      ...this.tensors.map((tensor, i) => entry(tensor, this.views[i])),
      ...later.map((tensor) => entry(tensor, tensor.data)),
    ]);
  }

  /** Checks what {@link save} returned, and returns a function that writes it. */
  prepareLoad(prefix: string, saved: unknown): () => void {
    const names = this.tensors.map(({ name }) => name);
    const values = readEach(this.#owner, prefix, saved, names, {
      read: (owner, option, value, i) => {
        const { shape, size } = this.tensors[i];
        const at = fieldsOf(owner, option, value, "the tensor's state");
        checkShape(...at("shape"), shape);
        return readVector(...at("values"), size);
      },
    });
    return () => this.views.forEach((view, i) => view.set(values[i]));
  }

  dispose(): void {
    for (const block of this.#blocks) this.#arena.release(block);
  }
}
