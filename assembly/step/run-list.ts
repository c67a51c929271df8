// Iterates over a list of runs, so that one kernel call does the step of many tensors.
//
// A kernel with a negative n finds −n records at p; of its slot arguments, only whether they are 0 matters. At g it finds a
// pass, or 0 if a step does nothing but update: a pass says whether gradients are cleared and averages updated in the same
// sweep, and where small slots are unpacked. For these, a run is swept in blocks that fit into the first-level cache.
//
// layout/run-list.ts has the fields. A pass begins with the long record of the current block, whose fields that short
// records lack are 0 from the start. Each thread has its own pass.
import { pack, unpack } from "../state/small-formats";
import { BFLOAT16, SHARED } from "../layout/formats";
import { SWEPT_TOGETHER } from "../layout/memory";
import {
  AVERAGE, BASES, BLOCK, CLEAR, COEFFICIENTS, FIRST, FORMATS, GRADIENT, LENGTH, MAX_SLOTS, PARAMETERS, RECORD_BYTES, SLOTS,
  STEP, STRIDE, UNPACKED, WEIGHT,
} from "../layout/run-list";
import { approach } from "./reductions";

let record: usize, stride: usize, end: usize, pass: usize;
/** Elements of the record that are not in a block yet, and the formats that the kernel itself unpacks. */
let left: i32, direct: i32;

/** The formats word of slots that are all in bfloat16. */
// @ts-ignore: decorator
@inline
export function bfloat16Formats(s0: usize, s1: usize, s2: usize): i32 {
  return (s0 ? BFLOAT16 : 0) | (s1 ? BFLOAT16 << 8 : 0) | (s2 ? BFLOAT16 << 16 : 0);
}

/** Whether the slots have these formats, judged by the first record: all records of an optimizer have the same. */
// @ts-ignore: decorator
@inline
export function hasFormats(n: i32, list: usize, header: usize, formats: i32): bool {
  return n < 0 && header != 0 && load<usize>(header, STRIDE) != RECORD_BYTES && load<i32>(list, FORMATS) == formats;
}

/** The index in its tensor of the first element of the current block of n. */
export function firstElement(n: i32): i32 {
  return (load<i32>(record, FIRST) & -SWEPT_TOGETHER) + load<i32>(record, LENGTH) - left - n;
}
/** The step of the current tensor. */
export function step(): i32 {
  return load<i32>(record, STEP);
}

/** Opens a list; returns the address of the first record to sweep. `unpacks`: the formats that the kernel itself unpacks, or 0. */
export function open(n: i32, list: usize, header: usize, unpacks: i32): usize {
  direct = unpacks;
  record = list;
  stride = header ? load<usize>(header, STRIDE) : RECORD_BYTES;
  end = list + <usize>-n * stride;
  pass = header;
  return header ? begin() : list;
}

/** The address of the record to sweep after `at`, 0 at the end. */
// @ts-ignore: decorator
@inline
export function next(at: usize): usize {
  if (pass) return nextBlock();
  return at + RECORD_BYTES == end ? 0 : at + RECORD_BYTES;
}

function nextBlock(): usize {
  finish();
  if (left) return block();
  record += stride;
  return record == end ? 0 : begin();
}

/** Whether slots have to be unpacked before the kernel sweeps the block. */
// @ts-ignore: decorator
@inline
function converts(): bool {
  const format = load<i32>(pass, FORMATS);
  return format != 0 && format != direct;
}

function begin(): usize {
  left = load<i32>(record, LENGTH);
  memory.copy(pass, record, stride);
  return block();
}

function block(): usize {
  const fused = load<i32>(pass, CLEAR) | load<i32>(pass, AVERAGE);
  const n = fused || converts() ? min(left, BLOCK) : left;
  store<i32>(pass, n, LENGTH);
  if (converts()) convert(n, load<i32>(record, LENGTH) - left, true);
  left -= n;
  return pass;
}

/** Does what the pass asks for with the block just swept, and advances its addresses to the next. */
function finish(): void {
  const n = load<i32>(pass, LENGTH);
  const bytes = <usize>n << 2;
  const p = load<usize>(pass, PARAMETERS), g = load<usize>(pass, GRADIENT), average = load<usize>(pass, AVERAGE);
  if (load<i32>(pass, CLEAR)) memory.fill(g, 0, bytes);
  if (average) approach(n, average, p, load<f32>(pass, WEIGHT));
  if (converts()) convert(n, load<i32>(record, LENGTH) - left - n, false);
  if (average) store<usize>(pass, average + bytes, AVERAGE);
  for (let field = PARAMETERS; field < COEFFICIENTS; field += 4) {
    const address = load<usize>(pass + field);
    if (!address) continue;
    const small = field >= SLOTS && load<i32>(pass, FORMATS) && !converts();
    store<usize>(pass + field, address + (small ? bytes >> 1 : bytes));
  }
}

/** Unpacks the small slots of the block that begins at element `done` of the record to float32 scratch (`out`), or packs them. */
function convert(n: i32, done: i32, out: bool): void {
  for (let k = 0; k < MAX_SLOTS; k++) {
    const format = load<u8>(pass + FORMATS + k);
    if (!format) continue;
    const at = <usize>k << 2;
    const small = load<usize>(record + SLOTS + at) + (<usize>done << (format == BFLOAT16 ? 1 : 0));
    const bases = load<usize>(record + BASES + at) + (<usize>(done / SHARED) << 1);
    const scratch = load<usize>(pass, UNPACKED) + <usize>k * (BLOCK << 2);
    if (out) {
      unpack(format, n, small, bases, scratch);
      store<usize>(pass + SLOTS + at, scratch);
    } else {
      const first = load<i32>(record, FIRST), padding = <usize>(first & (SWEPT_TOGETHER - 1)) << 2;
      if (!left) memory.fill(scratch + (<usize>n << 2) - padding, 0, padding);
      pack(format, n, scratch, small, bases, k, (first & -SWEPT_TOGETHER) + done, load<i32>(record, STEP));
    }
  }
}
