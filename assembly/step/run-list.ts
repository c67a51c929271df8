// A list of runs for one call of a kernel: what a step does for many tensors, and what rides along with it. A kernel whose
// n is negative finds −n records at p and, where something rides along or a slot is small, a pass at g, else 0; its slots
// only say which there are. With a pass, a run is taken in blocks that stay in the first-level cache,
// unless nothing rides along and the kernel takes the slots as they are.
//
// layout/run-list.ts has the fields of records and of a pass: the long record of the block that is due, then what is done with
// every block. What short records lack is 0 in it from the start. Each thread has its own.
import { pack, unpack } from "../state/small-formats";
import { BFLOAT16, SHARED } from "../layout/formats";
import {
  AVERAGE, BASES, BLOCK, CLEAR, COEFFICIENTS, FIRST, FORMATS, GRADIENT, LENGTH, MAX_SLOTS, PARAMETERS, RECORD_BYTES, SLOTS,
  STEP, STRIDE, UNPACKED, WEIGHT,
} from "../layout/run-list";
import { approach } from "./reductions";

let record: usize, stride: usize, end: usize, pass: usize;
let left: i32, own: i32;

/** The formats of slots that are all in bfloat16. */
// @ts-ignore: decorator
@inline
export function halves(s0: usize, s1: usize, s2: usize): i32 {
  return (s0 ? BFLOAT16 : 0) | (s1 ? BFLOAT16 << 8 : 0) | (s2 ? BFLOAT16 << 16 : 0);
}

/** Whether the slots of the records are kept in these formats, as those of one optimizer are in all of them. */
// @ts-ignore: decorator
@inline
export function keeps(n: i32, list: usize, header: usize, formats: i32): bool {
  return n < 0 && header != 0 && load<usize>(header, STRIDE) != RECORD_BYTES && load<i32>(list, FORMATS) == formats;
}

/** Which element of its tensor a block of n begins with, and the tensor's step. */
export function first(n: i32): i32 {
  return (load<i32>(record, FIRST) & -16) + load<i32>(record, LENGTH) - left - n;
}
export function step(): i32 {
  return load<i32>(record, STEP);
}

/** The first record to sweep. `direct`: formats that the kernel itself unpacks, or 0. */
export function open(n: i32, list: usize, header: usize, direct: i32): usize {
  own = direct;
  record = list;
  stride = header ? load<usize>(header, STRIDE) : RECORD_BYTES;
  end = list + <usize>-n * stride;
  pass = header;
  return header ? begin() : list;
}

/** The record to sweep after `at`; 0 when there is none. */
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

/** Whether the block has slots to unpack for the kernel. */
// @ts-ignore: decorator
@inline
function converts(): bool {
  const format = load<i32>(pass, FORMATS);
  return format != 0 && format != own;
}

function begin(): usize {
  left = load<i32>(record, LENGTH);
  memory.copy(pass, record, stride);
  return block();
}

function block(): usize {
  const riding = load<i32>(pass, CLEAR) | load<i32>(pass, AVERAGE);
  const n = riding || converts() ? min(left, BLOCK) : left;
  store<i32>(pass, n, LENGTH);
  if (converts()) convert(n, load<i32>(record, LENGTH) - left, true);
  left -= n;
  return pass;
}

/** What rides along with the block just swept. */
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

/** The small slots of the block that begins at element `done` of the record: to float32 behind the pass, or back. */
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
      const first = load<i32>(record, FIRST), padding = <usize>(first & 15) << 2;
      if (!left) memory.fill(scratch + (<usize>n << 2) - padding, 0, padding);
      pack(format, n, scratch, small, bases, k, (first & -16) + done, load<i32>(record, STEP));
    }
  }
}
