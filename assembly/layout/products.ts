// How matrix products are cut, and the scratch memory that they need.

/** Steps of k in a panel: a panel of B (17 KB) stays in the first-level cache together with two rows of A. */
export const MAX_K: i32 = 272;
/** Rows of A that are packed at a time: their panels stay in the second-level cache. */
export const MAX_ROWS: i32 = 128;
/** The same for products that leave out zeros. */
export const MAX_SPARSE_K: i32 = 200;
/** Bytes of a step in their panels: 32 columns. */
export const SPARSE_STEP: i32 = 128;
/** Bytes of their lists of what is not zero. */
export const LISTS_BYTES: i32 = 12 * 64 * MAX_K;
/** Bytes of scratch that any product needs: the lists, a panel and four rows of a tile. */
export const PACK_BYTES: i32 = LISTS_BYTES + MAX_SPARSE_K * SPARSE_STEP + 4 * SPARSE_STEP;
