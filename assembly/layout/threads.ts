// What threads share: byte offsets in the first page of a shared memory, above the binary's constants, and indices of
// words in the pool's own small buffer. Each thread's words have cache lines of their own. Only TypeScript reads these.
import { PAGE_BYTES } from "./memory";
import { LONG_RECORD_BYTES } from "./run-list";

/** The most threads, the caller included. */
export const MAX_THREADS: i32 = 32;
/** Number of finished blocks of the job. */
export const DONE: i32 = 16384;
/** 1 while the caller sleeps until DONE changes. */
export const CALLER_ASLEEP: i32 = DONE + 4;

/** The job's kernel, as its index among the exports. */
export const KERNEL: i32 = DONE + 64;
/** Number of the kernel's arguments. */
export const ARITY: i32 = KERNEL + 4;
/** Number of arguments that are read from a record. 0: the kernel takes the records as a list of runs; or PARTS. */
export const FROM_RECORD: i32 = KERNEL + 8;
/** 1 if each thread has a copy of the list's pass. */
export const HAS_PASS: i32 = KERNEL + 12;
/** In FROM_RECORD: the kernel is a product, of which each block is a part; a worker has its own scratch for it. */
export const PARTS: i32 = -1;
/** In FROM_RECORD: the kernel is one of a network, of which each block is a part; it divides the scratch itself. */
export const NETWORK_PARTS: i32 = -2;
/** The kernel's arguments, float64. */
export const ARGUMENTS: i32 = DONE + 128;

/** The queues, one per thread. Each begins with the number of blocks left, which is decremented to claim one. */
export const QUEUE: i32 = DONE + 512;
/** In a queue: its first block. */
export const FIRST: i32 = 4;
/** In a queue: how many binaries the thread has instances of on this memory, that of the optimizers first. */
export const READY: i32 = 8;
export const QUEUE_BYTES: i32 = 128;

/** The most addresses in a record: elements, addresses, other arguments, then a float64 result. In a list: see run-list.ts. */
export const MAX_ADDRESSES: i32 = 6;
/** The records that the caller writes. */
export const RECORDS: i32 = 32768;
export const RECORD_BYTES: i32 = <i32>LONG_RECORD_BYTES;
export const MAX_RECORDS: i32 = 256;
export const RESULT: i32 = 56;

/** The workspaces, one per thread: the record of a block that is a part of a run, then the thread's pass (run-list.ts). */
export const WORKSPACE: i32 = QUEUE + MAX_THREADS * QUEUE_BYTES;
export const PASS: i32 = RECORD_BYTES;
export const WORKSPACE_BYTES: i32 = 256;

/** Bytes of a worker's scratch for products, behind the arena's part of the memory. */
export const SCRATCH_BYTES: i32 = 262144;

/** The job's blocks: first record's address, number of records, and for a part of a run its first element and number of
 * elements. With PARTS: which part, of how many. */
export const BLOCKS: i32 = RECORDS + MAX_RECORDS * RECORD_BYTES;
export const BLOCK_BYTES: i32 = 16;
export const MAX_BLOCKS: i32 = (<i32>PAGE_BYTES - BLOCKS) / BLOCK_BYTES;

/** Words per thread in the pool's buffer; below, indices among them. */
export const THREAD_WORDS: i32 = 16;
/** Changes with each call for work. */
export const CALLS: i32 = 0;
/** The memory that the call is for. */
export const MEMORY: i32 = 1;
/** 1 while the thread sleeps. */
export const ASLEEP: i32 = 2;
/** Number of messages sent to the thread. */
export const MESSAGES: i32 = 3;
