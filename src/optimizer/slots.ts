// An optimizer's memory in its arena: the slots of its tensors, and scratch.
import { type Arena, padded } from "../memory/arena.js";
import type { StateFormat } from "../state/small-formats.js";
import { FLOAT32, formatOf, setSlot, slotBytes, toFloat32, viewOf } from "../state/small-formats.js";
import type { Tensor, Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule, Settled, Slot, TensorInfo } from "./rule.js";
import { UNPACKED_BYTES } from "../wasm/generated/layout/run-list.js";
import { ABSENT, EMPTY, type Table, extend } from "../step/tensor-table.js";

const NO_TENSOR: TensorInfo = { name: "", shape: [0], size: 0 };

export class Slots<Options extends CommonOptions> {
  /** In the order of the kernel and of the table's columns. */
  readonly names: readonly string[];

  /** Bytes of all slots in their formats, scales and padding included. */
  bytes = 0;
  /** Address of the rule's scratch, or 0. */
  scratch = 0;
  /** Address of the memory in which small slots are unpacked, or 0. */
  converter = 0;
  readonly #rule: Rule<Options>;
  readonly #arena: Arena;
  readonly #format: StateFormat;
  readonly #blocks: number[] = [];
  /** Of each tensor the slots that are read as views, once they have been. */
  readonly #views: Record<string, Vector>[] = [];
  #scratchBytes = 0;

  constructor(rule: Rule<Options>, arena: Arena, format: StateFormat, options: Settled<Options>) {
    this.names = Object.keys(rule.slots(options, NO_TENSOR));
    this.#rule = rule;
    this.#arena = arena;
    this.#format = format;
  }

  /** A copy of the table with more tensors at its end, and slots for them. Throws when there is no room; nothing is changed then. */
  add(table: Table, tensors: readonly Tensor[], optionsOf: (tensor: Tensor) => Settled<Options>): Table {
    const arena = this.#arena;
    const rule = this.#rule;
    const plans = tensors.map((tensor) =>
      Object.values(rule.slots(optionsOf(tensor), tensor)).map((slot) => slot && this.#plan(slot, tensor.size)),
    );
    const columns = this.names.map((_, k) => plans.reduce((sum, slots) => sum + (slots[k]?.bytes ?? 0), 0));
    const addresses = arena.allocateApart(columns, rule.name, "its state");
    try {
      this.#makeRoom(tensors.map((tensor) => rule.scratch?.(optionsOf(tensor), tensor) ?? 0));
    } catch (error) {
      arena.release(addresses[0]);
      throw error;
    }
    const bytes = columns.reduce((sum, column) => sum + column, 0);
    if (bytes > 0) this.#blocks.push(addresses[0]);
    this.bytes += bytes;

    const next = extend(table, tensors);
    plans.forEach((slots, n) => {
      const i = table.tensors.length + n;
      slots.forEach((slot, k) => {
        if (slot === undefined) return;
        const { start, length, format } = slot;
        next.slots[k][i] = bytes > 0 ? addresses[k] : EMPTY;
        next.slotSizes[k][i] = length;
        next.formats[k][i] = format;
        // The memory is zero.
        if (format !== FLOAT32)
          setSlot(arena, next, i, k, new Float32Array(start === 0 ? 0 : length).fill(start), this.converter);
        else if (start !== 0) arena.fill(addresses[k], padded(length), start);
        addresses[k] += slot.bytes;
      });
      rule.copied?.copy(arena, next, i);
    });
    return next;
  }

  /** The slots that tensor i has: names and columns in the table. */
  of(table: Table, i: number): [name: string, column: number][] {
    const all = this.names.map((name, k): [string, number] => [name, k]);
    return all.filter(([, k]) => table.slots[k][i] !== ABSENT);
  }

  /** Tensor i's slots by name: views, always the same; of slots in small formats, new copies. */
  read(table: Table, i: number): Record<string, Vector> {
    const views = (this.#views[i] ??= {});
    const read = ([name, k]: [string, number]): [string, Vector] => {
      const slot = viewOf(this.#arena, table, i, k);
      return [name, "format" in slot ? toFloat32(slot) : (views[name] ??= slot)];
    };
    return Object.fromEntries(this.of(table, i).map(read));
  }

  /** Takes memory that {@link release} gives back with the rest. */
  take(bytes: number, purpose: string): number {
    const block = this.#arena.allocate(bytes, this.#rule.name, purpose);
    this.#blocks.push(block);
    return block;
  }

  release(): void {
    for (const block of this.#blocks) this.#arena.release(block);
    if (this.scratch !== 0) this.#arena.release(this.scratch);
  }

  /** A slot of a tensor of this size, with its format and the bytes that it takes. */
  #plan({ kind, start, length: own }: Slot, size: number) {
    const length = own ?? size;
    const format = formatOf(this.#format, kind, length);
    return { start, length, format, bytes: slotBytes(format, length) };
  }

  /** Takes scratch for the tensor that needs the most, and memory to unpack small slots in. */
  #makeRoom(scratches: readonly number[]): void {
    if (this.converter === 0 && this.#format !== "float32")
      this.converter = this.take(UNPACKED_BYTES, "unpacking its state");
    const bytes = scratches.reduce((most, needed) => Math.max(most, needed), this.#scratchBytes);
    if (bytes === this.#scratchBytes) return;
    const scratch = this.#arena.allocate(bytes, this.#rule.name, "its scratch");
    if (this.scratch !== 0) this.#arena.release(this.scratch);
    this.scratch = scratch;
    this.#scratchBytes = bytes;
  }
}
