// A list of runs for one call of a kernel: what a step does for many tensors with the same coefficients, and what rides
// along with it. A kernel whose n is negative finds −n records at p and, where something rides along, a pass at g, else
// 0; its slots only say which there are. With a pass, a run is taken in blocks that stay in the first-level cache.
//
// A record, 64 bytes: n > 0, p, g, four slots, the address of an average or 0; the rest is free.
// A pass, 128 bytes: the record of the block that is due; then 1 to clear the gradients, else 0; the weight with which
// averages approach the parameters (float32). Each thread has its own.
import { approach } from "./reduce";

const RECORD: usize = 64;
const CLEAR: usize = 64;
const WEIGHT: usize = 68;
/** Elements: five buffers of them take 20 KB. */
const BLOCK: i32 = 1024;

let record: usize, end: usize, pass: usize;
let left: i32;

/** The first record to sweep. */
export function open(n: i32, list: usize, header: usize): usize {
  record = list;
  end = list + <usize>-n * RECORD;
  pass = header;
  return header ? begin() : list;
}

/** The record to sweep after `at`; 0 when there is none. */
export function next(at: usize): usize {
  if (!pass) return at + RECORD == end ? 0 : at + RECORD;
  finish();
  if (left) return block();
  record += RECORD;
  return record == end ? 0 : begin();
}

function begin(): usize {
  left = load<i32>(record);
  memory.copy(pass, record, RECORD);
  return block();
}

function block(): usize {
  const n = min(left, BLOCK);
  store<i32>(pass, n);
  left -= n;
  return pass;
}

/** What rides along with the block just swept. */
function finish(): void {
  const n = load<i32>(pass);
  const bytes = <usize>n << 2;
  const p = load<usize>(pass, 4), g = load<usize>(pass, 8), average = load<usize>(pass, 28);
  if (load<i32>(pass, CLEAR)) memory.fill(g, 0, bytes);
  if (average) approach(n, average, p, load<f32>(pass, WEIGHT));
  for (let field = pass + 4; field < pass + 32; field += 4) {
    const address = load<usize>(field);
    if (address) store<usize>(field, address + bytes);
  }
}
