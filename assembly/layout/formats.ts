// The formats in which a slot's elements are stored. assembly/state/small-formats.ts explains the codes.

/** Four bytes per element: the format that kernels compute in. */
export const FLOAT32: i32 = 0;
/** Two bytes per element. */
export const BFLOAT16: i32 = 1;
/** One byte per element: a sign and seven bits. */
export const SIGNED: i32 = 2;
/** One byte per element; none is negative. */
export const POSITIVE: i32 = 3;

/** The number of 8-bit elements that share a base. */
export const SHARED: i32 = 256;
/** Flag in a base: the two highest codes mean infinity and NaN. */
export const SPECIAL: i32 = 0x8000;
/** The smallest base: with it no code is denormal. */
export const LEAST_BASE: i32 = 7;
