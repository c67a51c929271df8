/** What the user can put right: printed without a stack trace. Exit code 1 for files, 2 for the command line. */
export class UserError extends Error {
  constructor(
    message: string,
    readonly exitCode: 1 | 2,
  ) {
    super(message);
  }
}

/** Runs `make`; a value that the library refuses is the user's to put right. */
export function asUsage<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw new UserError(error.message, 2);
    throw error;
  }
}
