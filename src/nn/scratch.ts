/** Bytes of scratch that the matrix products ask for: see assembly/nn/sparse.ts. */
export const PACK_BYTES = 12 * 64 * 272 + 4 * (32 * 200 + 4 * 32);
