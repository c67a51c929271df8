// What threads share: byte offsets in the first page of a shared memory, above the binary's constants, and indices of
// words in the pool's own small buffer. Each thread's words have cache lines of their own. Only TypeScript reads these.
import { PAGE_BYTES } from "./memory";
import { LONG_RECORD_BYTES } from "./run-list";

/** Threads in all. */
export const MAX_THREADS: i32 = 32;
/** Blocks of the job that are finished; 1 while the caller sleeps until one is. */
export const DONE: i32 = 16384;
export const CALLER_ASLEEP: i32 = DONE + 4;

// The job: which kernel, how many arguments it has, how many of them stand in the records (0: it takes the records
// themselves, as a list; PARTS: it is told which part to make), and whether each thread's pass goes with them.
export const KERNEL: i32 = DONE + 64;
export const ARITY: i32 = KERNEL + 4;
export const MOVING: i32 = KERNEL + 8;
export const RIDES: i32 = KERNEL + 12;
export const PARTS: i32 = -1;
/** The kernel's arguments, float64. */
export const ARGUMENTS: i32 = DONE + 128;

/** A thread's queue: the blocks that are left in it, which is where they are claimed; the first of them; its instance is there. */
export const QUEUE: i32 = DONE + 512;
export const FIRST: i32 = 4;
export const READY: i32 = 8;
export const QUEUE_BYTES: i32 = 128;

/** A record: elements, up to so many addresses, what else the kernel may want, and a float64 result. In a list: run-list.ts. */
export const ADDRESSES: i32 = 6;
/** Records of the caller's. */
export const RECORDS: i32 = 32768;
export const RECORD_BYTES: i32 = <i32>LONG_RECORD_BYTES;
export const MAX_RECORDS: i32 = 256;
export const RESULT: i32 = 56;

/** A thread's own room: the record of a block that is a part of one, then its pass (run-list.ts). */
export const ROOM: i32 = QUEUE + MAX_THREADS * QUEUE_BYTES;
export const PASS: i32 = RECORD_BYTES;
export const ROOM_BYTES: i32 = 256;

/** Bytes that a worker has for a product's panels, behind what the arena has of the memory. */
export const SCRATCH_BYTES: i32 = 262144;

/** The blocks of the job: the first record's address, the number of records; of a part of one, its first element and its elements; of PARTS, which of how many. */
export const BLOCKS: i32 = RECORDS + MAX_RECORDS * RECORD_BYTES;
export const BLOCK_BYTES: i32 = 16;
export const MAX_BLOCKS: i32 = (<i32>PAGE_BYTES - BLOCKS) / BLOCK_BYTES;

// A thread's words in the pool's buffer, as indices: a number that changes with each call for work, the memory that it is
// for, 1 while the thread sleeps, and the messages that it has been sent.
export const LINE: i32 = 16;
export const CALL: i32 = 0;
export const MEMORY: i32 = 1;
export const ASLEEP: i32 = 2;
export const SENT: i32 = 3;
