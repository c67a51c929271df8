// The errors that end a run or a worker; all others are of the network, and what failed is repeated.

/** An error that no repetition mends. */
export class Fatal extends Error {}
