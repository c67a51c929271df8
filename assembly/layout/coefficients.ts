// The coefficients of a rule, in the order in which its kernel takes them. In a list of runs they are a row of float32.

/** Index of the factor of every gradient: gradScale, negative under maximize. */
export const GS: i32 = 0;
/** Index of the coupled weight decay λ. */
export const WD: i32 = 1;
/** Index of the decoupled weight decay lr·λ. */
export const DEC: i32 = 2;
/** Index of the rule's first own coefficient. */
export const OWN: i32 = 3;
/** The most own coefficients that a rule has. */
export const MAX_OWN: i32 = 12;
/** Bytes of a row. */
export const ROW_BYTES: usize = 64;
