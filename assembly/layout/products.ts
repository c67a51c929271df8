// The block sizes of matrix products, and the scratch memory that they need.

/** Steps of k in a panel: a panel of B (17 KB) fits into the first-level cache together with two rows of A. */
export const MAX_K: i32 = 272;
/** Rows of A that are packed at a time: their panels fit into the second-level cache. */
export const MAX_ROWS: i32 = 128;
/** Bytes of scratch of `productInto`, which takes all elements: panels of A, a panel of B, and tiles of all rows. */
export const PRODUCT_BYTES: i32 = MAX_ROWS * MAX_K * 4 + 16 * MAX_K * 4 + MAX_ROWS * 16 * 4;
/** MAX_K of products that skip zeros. */
export const MAX_SPARSE_K: i32 = 200;
/** Bytes of a step of k in their panels: 32 columns. */
export const SPARSE_STEP: i32 = 128;
/** Rows of a tile of sums that does not fit into the result as it is. */
export const EDGE_ROWS: i32 = 64;
/** Bytes of their lists of nonzero elements. */
export const LISTS_BYTES: i32 = 12 * 64 * MAX_K;
/** Bytes that `convertBytes` converts at a time: it rounds their number up to a multiple of this. */
export const BYTES_TOGETHER: i32 = 16;
/** Bytes of scratch, enough for every product: the lists, a panel, a tile and a table of the steps. */
export const PACK_BYTES: i32 = LISTS_BYTES + MAX_SPARSE_K * SPARSE_STEP + EDGE_ROWS * SPARSE_STEP + 832;
