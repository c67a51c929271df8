// What comes in is checked; what does not fit is told with status 400.

/** What the sender can mend. */
export class Refusal extends Error {}

/** What numbers may be: inputs, and weights from elsewhere, so that no product of them overflows. */
export const LIMIT = 1000;
export const fits = (value: unknown): boolean => typeof value === "number" && Math.abs(value) <= LIMIT;

/** The beginning of a value, for a message. */
function shown(value: unknown): string {
  try {
    return String(JSON.stringify(value)).slice(0, 80);
  } catch {
    return "what is nested too deep to be shown";
  }
}

export const json = (value: unknown, status = 200): Response => Response.json(value, { status });

/** A request's JSON object. */
export async function reading(body: Promise<unknown>): Promise<Record<string, unknown>> {
  const value = await body.catch(() => undefined);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Refusal("expected a JSON object");
  return value as Record<string, unknown>;
}

/** What gradstep says of an argument, as a refusal. */
export function refused<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw error instanceof TypeError || error instanceof RangeError ? new Refusal(error.message) : error;
  }
}

/** Rows of `width` numbers as float32, one after the other. */
export function matrix(name: string, rows: unknown, width: number, most: number): Float32Array {
  if (!Array.isArray(rows) || rows.length < 1 || rows.length > most)
    throw new Refusal(`"${name}" expected 1 to ${most} rows`);
  rows.forEach((row: unknown, i) => {
    if (!Array.isArray(row) || row.length !== width || !row.every(fits))
      throw new Refusal(`"${name}[${i}]" expected ${width} numbers in [-${LIMIT}, ${LIMIT}], got ${shown(row)}`);
  });
  return Float32Array.from((rows as number[][]).flat());
}

/** The classes of `count` rows. */
export function labels(name: string, classes: unknown, count: number, most: number): number[] {
  if (!Array.isArray(classes) || classes.length !== count)
    throw new Refusal(`"${name}" expected ${count} classes, one for each row of "x"`);
  return classes.map((value, i) => whole(`${name}[${i}]`, value, 0, most));
}

export function whole(name: string, value: unknown, least: number, most: number): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
    throw new Refusal(`"${name}" expected a whole number in [${least}, ${most}], got ${shown(value)}`);
  return value as number;
}
