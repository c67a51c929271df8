// The errors that end a run or a worker at once or in time; all others are of the network, and what failed is repeated.

/** An error that no repetition mends. */
export class Fatal extends Error {}

/** The broker's answer is no: it may be starting, but one that goes on saying so has a limit that is too low. */
export class Refused extends Error {}
