// Reductions add up blocks, so that a sum does not depend on the number of threads.

/** Elements of a block. */
export const BLOCK: i32 = 16384;
