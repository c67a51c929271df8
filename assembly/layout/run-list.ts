// A list of runs for one kernel call: byte offsets in a record, which describes a run, and in a pass, which comes before
// the list where something is done in the same sweep (see assembly/step/run-list.ts). Fields are 32-bit words.

/** A tensor has at most this many slots. */
export const MAX_SLOTS: i32 = 4;

/** i32: number of elements, a positive multiple of 16. */
export const LENGTH: usize = 0;
/** Address of the parameters. */
export const PARAMETERS: usize = 4;
/** Address of the gradient. */
export const GRADIENT: usize = 8;
/** Addresses of the slots, MAX_SLOTS of them; 0 where there is none. */
export const SLOTS: usize = 12;
/** Address of the row of coefficients. */
export const COEFFICIENTS: usize = 28;
/** Bytes of a short record, which ends here. */
export const RECORD_BYTES: usize = 32;
/** Address of the average that follows the parameters, or 0. */
export const AVERAGE: usize = 32;
/** The slots' formats, a byte each. */
export const FORMATS: usize = 36;
/** i32: the tensor's step. */
export const STEP: usize = 40;
/** i32: index of the run's first element in its tensor, a multiple of 256, plus the number of padding elements at the run's end. */
export const FIRST: usize = 44;
/** Addresses of the 8-bit slots' bases, MAX_SLOTS of them. */
export const BASES: usize = 48;
/** Bytes of a long record. */
export const LONG_RECORD_BYTES: usize = 64;

/** In a pass, behind the long record of the block at hand: 1 to clear the gradients, else 0. */
export const CLEAR: usize = 64;
/** f32: the weight with which averages approach the parameters. */
export const WEIGHT: usize = 68;
/** Address of UNPACKED_BYTES in which small slots are unpacked, or 0. */
export const UNPACKED: usize = 72;
/** Bytes of each record in the list. Without a pass they are RECORD_BYTES. */
export const STRIDE: usize = 76;
/** Bytes of a pass. */
export const PASS_BYTES: usize = 128;

/** With a pass, runs are swept in blocks of at most this many elements: five buffers of them take 20 KB. */
export const BLOCK: i32 = 1024;
/** Bytes of a block of all slots in float32. */
export const UNPACKED_BYTES: i32 = 16384;
