/** Bytes of scratch that the matrix products ask for: see assembly/nn/product.ts. */
export const PACK_BYTES = 12 * 64 * 272 + 4 * (16 * 272 + 2 * 16 + 64);
