// How a slot's elements are stored. assembly/state/small-formats.ts explains the codes.

/** Four bytes an element, as kernels compute. */
export const FLOAT32: i32 = 0;
/** Two bytes an element. */
export const BFLOAT16: i32 = 1;
/** One byte an element: a sign and seven bits. */
export const SIGNED: i32 = 2;
/** One byte an element, none negative. */
export const POSITIVE: i32 = 3;

/** 8-bit elements that share a base. */
export const SHARED: i32 = 256;
/** Flag in a base: the two highest codes are infinity and NaN. */
export const SPECIAL: i32 = 0x8000;
/** The least base, so that no code is denormal. */
export const LEAST_BASE: i32 = 7;
