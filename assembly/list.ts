// A list of runs for one call of a kernel: what a step does for many tensors, and what rides along with it. A kernel whose
// n is negative finds −n records at p and, where something rides along or a slot is small, a pass at g, else 0; its slots
// only say which there are. With a pass, a run is taken in blocks that stay in the first-level cache,
// unless nothing rides along and the kernel takes the slots as they are.
//
// A record, 32 bytes: n > 0, p, g, four slots, the address of the coefficients. A long one, 64 bytes, goes on with the
// address of an average or 0 and, since a run with small slots (see format.ts) is one tensor's, with the formats of the
// slots, a byte each; the tensor's step; the index of the run's first element in the tensor, a multiple of 256, plus the
// number of elements at its end that are padding; and the bases of the slots.
// A pass, 128 bytes: the long record of the block that is due; then 1 to clear the gradients, else 0; the weight with which
// averages approach the parameters (float32); the address of 16 KB in which small slots are unpacked; the bytes of a
// record, which are 32 without a pass. What short records lack is 0 in it from the start. Each thread has its own.
import { BFLOAT16, SHARED, pack, unpack } from "./format";
import { approach } from "./reduce";

const SHORT: usize = 32;
const SLOTS: usize = 12;
const COEFFICIENTS: usize = 28;
const AVERAGE: usize = 32;
const FORMATS: usize = 36;
const STEP: usize = 40;
const FIRST: usize = 44;
const BASES: usize = 48;
const CLEAR: usize = 64;
const WEIGHT: usize = 68;
const SCRATCH: usize = 72;
const STRIDE: usize = 76;
/** Elements: five buffers of them take 20 KB. */
const BLOCK: i32 = 1024;

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
  return n < 0 && header != 0 && load<usize>(header, STRIDE) != SHORT && load<i32>(list, FORMATS) == formats;
}

/** Which element of its tensor a block of n begins with, and the tensor's step. */
export function first(n: i32): i32 {
  return (load<i32>(record, FIRST) & -16) + load<i32>(record) - left - n;
}
export function step(): i32 {
  return load<i32>(record, STEP);
}

/** The first record to sweep. `direct`: formats that the kernel itself unpacks, or 0. */
export function open(n: i32, list: usize, header: usize, direct: i32): usize {
  own = direct;
  record = list;
  stride = header ? load<usize>(header, STRIDE) : SHORT;
  end = list + <usize>-n * stride;
  pass = header;
  return header ? begin() : list;
}

/** The record to sweep after `at`; 0 when there is none. */
// @ts-ignore: decorator
@inline
export function next(at: usize): usize {
  if (pass) return nextBlock();
  return at + SHORT == end ? 0 : at + SHORT;
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
  left = load<i32>(record);
  memory.copy(pass, record, stride);
  return block();
}

function block(): usize {
  const riding = load<i32>(pass, CLEAR) | load<i32>(pass, AVERAGE);
  const n = riding || converts() ? min(left, BLOCK) : left;
  store<i32>(pass, n);
  if (converts()) convert(n, load<i32>(record) - left, true);
  left -= n;
  return pass;
}

/** What rides along with the block just swept. */
function finish(): void {
  const n = load<i32>(pass);
  const bytes = <usize>n << 2;
  const p = load<usize>(pass, 4), g = load<usize>(pass, 8), average = load<usize>(pass, AVERAGE);
  if (load<i32>(pass, CLEAR)) memory.fill(g, 0, bytes);
  if (average) approach(n, average, p, load<f32>(pass, WEIGHT));
  if (converts()) convert(n, load<i32>(record) - left - n, false);
  if (average) store<usize>(pass, average + bytes, AVERAGE);
  for (let field: usize = 4; field < COEFFICIENTS; field += 4) {
    const address = load<usize>(pass + field);
    if (!address) continue;
    const small = field >= SLOTS && load<i32>(pass, FORMATS) && !converts();
    store<usize>(pass + field, address + (small ? bytes >> 1 : bytes));
  }
}

/** The small slots of the block that begins at element `done` of the record: to float32 behind the pass, or back. */
function convert(n: i32, done: i32, out: bool): void {
  for (let k = 0; k < 4; k++) {
    const format = load<u8>(pass + FORMATS + k);
    if (!format) continue;
    const at = <usize>k << 2;
    const small = load<usize>(record + SLOTS + at) + (<usize>done << (format == BFLOAT16 ? 1 : 0));
    const bases = load<usize>(record + BASES + at) + (<usize>(done / SHARED) << 1);
    const scratch = load<usize>(pass, SCRATCH) + <usize>k * (BLOCK << 2);
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
