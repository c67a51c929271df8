// Where what the threads share stands: byte offsets in the first page of a shared memory, above the binary's constants, and
// in the pool's own small buffer. A thread's words have cache lines of their own.

/** Threads in all. */
export const MAX_THREADS = 32;
/** Elements of a block: a reduction's too (assembly/reduce.ts), so that its bits stay. */
export const BLOCK = 16384;

/** Blocks of the job that are finished; 1 while the caller sleeps until one is. */
export const DONE = 16384;
export const CALLER_ASLEEP = DONE + 4;

// The job: which kernel, how many arguments it has, how many of them stand in the records (0: it takes the records
// themselves, as a list; PARTS: it is told which part to make), and whether each thread's pass goes with them.
export const KERNEL = DONE + 64;
export const ARITY = KERNEL + 4;
export const MOVING = KERNEL + 8;
export const RIDES = KERNEL + 12;
export const PARTS = -1;
/** The kernel's arguments, float64. */
export const ARGUMENTS = DONE + 128;

/** A thread's queue: the blocks that are left in it, which is where they are claimed; the first of them; its instance is there. */
export const QUEUE = DONE + 512;
export const FIRST = 4;
export const READY = 8;
export const QUEUE_BYTES = 128;

/** A thread's own room: the record of a block that is a part of one, then its pass (assembly/list.ts). */
export const ROOM = QUEUE + MAX_THREADS * QUEUE_BYTES;
export const PASS = 64;
export const PASS_BYTES = 128;
export const ROOM_BYTES = 256;

/** A record: elements, up to so many addresses, what else the kernel may want, and a float64 result. In a list: assembly/list.ts. */
export const ADDRESSES = 6;
export const AVERAGE = 8;
/** Records of the caller's. */
export const RECORDS = 32768;
export const RECORD_BYTES = 64;
export const MAX_RECORDS = 256;
export const RESULT = 56;

/** Bytes that a worker has for a product's panels, behind what the arena has of the memory. */
export const SCRATCH_BYTES = 262144;

/** The blocks of the job: the first record's address, the number of records; of a part of one, its first element and its elements; of PARTS, which of how many. */
export const BLOCKS = RECORDS + MAX_RECORDS * RECORD_BYTES;
export const BLOCK_BYTES = 16;
export const MAX_BLOCKS = (65536 - BLOCKS) / BLOCK_BYTES;

// A thread's words in the pool's buffer, as indices: a number that changes with each call for work, the memory that it is
// for, 1 while the thread sleeps, and the messages that it has been sent.
export const LINE = 16;
export const CALL = 0;
export const MEMORY = 1;
export const ASLEEP = 2;
export const SENT = 3;
