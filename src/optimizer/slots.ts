// An optimizer's memory in its arena: the slots of its tensors, and scratch.
import { type Arena, padded } from "../memory/arena.js";
import type { StateFormat } from "../state/small-formats.js";
import { FLOAT32, formatOf, setSlot, slotBytes, toFloat32, viewOf } from "../state/small-formats.js";
import type { Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule, Settled, TensorInfo } from "./rule.js";
import { UNPACKED_BYTES } from "../wasm/generated/layout/run-list.js";
import { ABSENT, EMPTY, type Table, isAdjacentToPrevious } from "../step/tensor-table.js";

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

  /**
   * Fills in the slots of the table's tensors from number `from` on, and which tensors are adjacent. Throws when there is no room;
   * nothing but the table is changed then.
   */
  add(table: Table, from: number, groups: readonly { readonly options: Settled<Options> }[]): void {
    const arena = this.#arena;
    const rule = this.#rule;
    const columns = this.names.map(() => 0);
    let addresses = columns;
    // What is written when there is room for all.
    const writes: (() => void)[] = [];
    let scratch = 0;
    for (let i = from; i < table.tensors.length; i++) {
      const tensor = table.tensors[i];
      const { options } = groups[table.group[i]];
      scratch = Math.max(scratch, rule.scratch?.(options, tensor) ?? 0);
      Object.values(rule.slots(options, tensor)).forEach((slot, k) => {
        if (slot === undefined) return;
        const { kind, start, length = tensor.size } = slot;
        const format = formatOf(this.#format, kind, length);
        const bytes = slotBytes(format, length);
        columns[k] += bytes;
        table.slotSizes[k][i] = length;
        table.formats[k][i] = format;
        writes.push(() => {
          table.slots[k][i] = addresses[k] || EMPTY;
          // The memory is zero.
          if (format !== FLOAT32)
            setSlot(arena, table, i, k, new Float32Array(start === 0 ? 0 : length).fill(start), this.converter);
          else if (start !== 0) arena.fill(addresses[k], padded(length), start);
          addresses[k] += bytes;
          this.bytes += bytes;
        });
      });
      writes.push(() => {
        rule.copied?.copy(arena, table, i);
        table.adjacent[i] = isAdjacentToPrevious(table, i) ? 1 : 0;
      });
    }
    addresses = arena.allocateApart(columns, rule.name, "its state");
    try {
      this.#makeRoom(scratch);
    } catch (error) {
      arena.release(addresses[0]);
      throw error;
    }
    this.#blocks.push(addresses[0]);
    for (const write of writes) write();
  }

  /** The columns in the table of the slots that tensor i has. */
  of(table: Table, i: number): number[] {
    return [...this.names.keys()].filter((k) => table.slots[k][i] !== ABSENT);
  }

  /** Tensor i's slots by name: views, always the same; of slots in small formats, new copies. */
  read(table: Table, i: number): Record<string, Vector> {
    const views = (this.#views[i] ??= {});
    const read = (k: number): [string, Vector] => {
      const name = this.names[k];
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
    for (const block of [...this.#blocks, this.scratch]) this.#arena.release(block);
  }

  /** Takes this much scratch where there is less, and memory to unpack small slots in. */
  #makeRoom(bytes: number): void {
    if (this.converter === 0 && this.#format !== "float32")
      this.converter = this.take(UNPACKED_BYTES, "unpacking its state");
    if (bytes <= this.#scratchBytes) return;
    const scratch = this.#arena.allocate(bytes, this.#rule.name, "its scratch");
    this.#arena.release(this.scratch);
    this.scratch = scratch;
    this.#scratchBytes = bytes;
  }
}
