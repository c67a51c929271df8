// A list of runs for one kernel call: byte offsets in a record, which describes a run, and in a pass, which says what else
// is done with each block in the same sweep (see assembly/step/run-list.ts). Fields are 32-bit words.

/** The most slots that a tensor has. */
export const MAX_SLOTS: i32 = 4;

/** i32: number of elements, a positive multiple of 16. */
export const LENGTH: usize = 0;
/** Address of the parameters. */
export const PARAMETERS: usize = 4;
/** Address of the gradient. */
export const GRADIENT: usize = 8;
/** Addresses of the MAX_SLOTS slots, 0 where there is none. */
export const SLOTS: usize = 12;
/** Address of the row of coefficients. */
export const COEFFICIENTS: usize = 28;
/** Bytes of a short record, which has only the fields above. */
export const RECORD_BYTES: usize = 32;
/** Address of the parameters' average, or 0. */
export const AVERAGE: usize = 32;
/** The slots' formats, one byte each. */
export const FORMATS: usize = 36;
/** i32: the tensor's step. */
export const STEP: usize = 40;
/** i32: index of the run's first element in its tensor, a multiple of 256, plus the number of padding elements at the run's end. */
export const FIRST: usize = 44;
/** Addresses of the bases of the MAX_SLOTS slots, if in 8 bits. */
export const BASES: usize = 48;
/** Bytes of a long record. */
export const LONG_RECORD_BYTES: usize = 64;

/** A pass begins with the long record of the current block. After it: 1 to clear the gradients, else 0. */
export const CLEAR: usize = 64;
/** f32: the weight of the parameters in the averages. */
export const WEIGHT: usize = 68;
/** Address of UNPACKED_BYTES of scratch into which small slots are unpacked, or 0. */
export const UNPACKED: usize = 72;
/** Bytes of each record in the list. Without a pass a record has RECORD_BYTES. */
export const STRIDE: usize = 76;
/** Bytes of a pass. */
export const PASS_BYTES: usize = 128;

/** With a pass, runs are swept in blocks of at most this many elements, so that five buffers take 20 KB of the cache. */
export const BLOCK: i32 = 1024;
/** Bytes of a block of MAX_SLOTS slots in float32. */
export const UNPACKED_BYTES: i32 = MAX_SLOTS * BLOCK * 4;
