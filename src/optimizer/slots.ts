// An optimizer's memory in its arena: the slots of its tensors, and scratch.
import { type Arena, padded } from "../memory/arena.js";
import type { StateFormat } from "../state/small-formats.js";
import { FLOAT32, formatOf, setSlot, slotBytes, toFloat32, viewOf } from "../state/small-formats.js";
import type { Tensor, Vector } from "../memory/tensor.js";
import type { CommonOptions, Rule, Settled, TensorInfo } from "./rule.js";
import { UNPACKED_BYTES } from "../wasm/generated/layout/run-list.js";
import { ABSENT, EMPTY, type Table, extend } from "../step/tensor-table.js";

const NO_TENSOR: TensorInfo = { name: "", shape: [0], size: 0 };

interface PlannedSlot {
  readonly start: number;
  readonly length: number;
  readonly format: number;
}

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
    const plans = tensors.map((tensor) => this.#plan(optionsOf(tensor), tensor));
    const columns = this.names.map((_, k) =>
      plans.reduce((sum, { [k]: slot }) => sum + (slot ? slotBytes(slot.format, slot.length) : 0), 0),
    );
    const addresses = arena.allocateApart(columns, this.#rule.name, "its state");
    try {
      this.#makeRoom(tensors.map((tensor) => this.#rule.scratch?.(optionsOf(tensor), tensor) ?? 0));
    } catch (error) {
      arena.release(addresses[0]);
      throw error;
    }
    const bytes = columns.reduce((sum, column) => sum + column, 0);
    if (bytes > 0) this.#blocks.push(addresses[0]);
    this.bytes += bytes;

    const from = table.tensors.length;
    const next = extend(table, tensors);
    addresses.forEach((column, k) => {
      let address = column;
      tensors.forEach((_, i) => {
        const slot = plans[i][k];
        if (slot === undefined) return;
        next.slots[k][from + i] = bytes > 0 ? address : EMPTY;
        next.slotSizes[k][from + i] = slot.length;
        next.formats[k][from + i] = slot.format;
        this.#start(next, from + i, k, slot.start);
        address += slotBytes(slot.format, slot.length);
      });
    });
    tensors.forEach((_, i) => this.#rule.copied?.copy(arena, next, from + i));
    return next;
  }

  /** Tensor i's slots by name: views, always the same; of slots in small formats, new copies. */
  read(table: Table, i: number): Record<string, Vector> {
    const views = (this.#views[i] ??= {});
    const read: Record<string, Vector> = {};
    this.names.forEach((name, k) => {
      if (table.slots[k][i] === ABSENT) return;
      const slot = viewOf(this.#arena, table, i, k);
      read[name] = "format" in slot ? toFloat32(slot) : (views[name] ??= slot);
    });
    return read;
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

  /** A tensor's slots in the kernel's order; undefined where it has none. */
  #plan(options: Settled<Options>, tensor: Tensor): (PlannedSlot | undefined)[] {
    return Object.values(this.#rule.slots(options, tensor)).map((slot) => {
      if (slot === undefined) return undefined;
      const { kind, start, length = tensor.size } = slot;
      return { start, length, format: formatOf(this.#format, kind, length) };
    });
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

  /** Initializes a slot, whose memory is zero. */
  #start(table: Table, i: number, k: number, start: number): void {
    const arena = this.#arena;
    const [address, length] = [table.slots[k][i], table.slotSizes[k][i]];
    if (table.formats[k][i] !== FLOAT32) {
      const values = new Float32Array(start === 0 ? 0 : length).fill(start);
      setSlot(arena, table, i, k, values, this.converter);
    } else if (start !== 0) arena.fill(address, padded(length), start);
  }
}
