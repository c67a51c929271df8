// Reductions sum block by block, so that a result does not depend on the number of threads.

/** Elements of a block. */
export const BLOCK: i32 = 16384;
