/** Bytes of scratch that the matrix products ask for: see assembly/nn/product.ts. */
export const PACK_BYTES = 4 * (128 * 272 + 16 * 272 + 2 * 16);
