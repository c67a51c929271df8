import type { Arena } from "../memory/arena.js";
import type { Tensor, Vector } from "../memory/tensor.js";
import { type SavedTensor, checkShape, readEach, readVector } from "../state/validation.js";

/** Copies of tensors, in their own arena, that follow them: an average, or Lookahead's slow weights. Moves allocate nothing. */
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

  /** Takes tensors, whose copies start at what they are now. Throws when the arena has no room; nothing is changed then. */
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

  /** Lets go of the tensors that the last {@link add} took. */
  drop({ length }: readonly Tensor[]): void {
    const dropped = this.tensors.splice(this.tensors.length - length);
    for (const list of [this.views, this.#at]) list.splice(list.length - length);
    if (dropped.some(({ bytes }) => bytes > 0)) this.#arena.release(this.#blocks.pop() ?? 0);
  }

  /** shadow ← θ. */
  read(): void {
    for (let i = 0; i < this.tensors.length; i++)
      this.#arena.copy(this.tensors[i].dataAt, this.#at[i], this.tensors[i].bytes);
  }

  /** θ ← shadow. */
  write(): void {
    for (let i = 0; i < this.tensors.length; i++)
      this.#arena.copy(this.#at[i], this.tensors[i].dataAt, this.tensors[i].bytes);
  }

  /** shadow ← shadow + w(θ − shadow). */
  approach(w: number): void {
    const { kernels } = this.#arena;
    for (let i = 0; i < this.tensors.length; i++)
      kernels.approach(this.tensors[i].size, this.#at[i], this.tensors[i].dataAt, w);
  }

  /** Addresses of the copies. */
  addresses(): ReadonlyMap<Tensor, number> {
    return new Map(this.tensors.map((tensor, i) => [tensor, this.#at[i]]));
  }

  /** Owned copies; of `later`, which have no shadow yet, what it would start at. */
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

  /** Checks what {@link save} gave; what is returned takes it. */
  prepareLoad(prefix: string, saved: unknown): () => void {
    const values = readEach(this.#owner, prefix, saved, this.tensors, ({ shape, size }, item, name) => {
      checkShape(this.#owner, `${name}.shape`, item.shape, shape);
      return readVector(this.#owner, `${name}.values`, item.values, size);
    });
    return () => this.views.forEach((view, i) => view.set(values[i]));
  }

  dispose(): void {
    for (const block of this.#blocks) this.#arena.release(block);
  }
}
