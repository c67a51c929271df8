// How often property tests run, and from which seed: the same in `npm test` each time, more and others in `npm run fuzz`.

const read = (variable: string, fallback: number): number => Number(process.env[variable] ?? fallback);

/** How many times as often as in `npm test`. */
export const times = read("GRADSTEP_FUZZ_RUNS", 1);

/** What `fc.assert` takes for a property that runs `few` times in `npm test`. A failure prints the seed and the path. */
export const runs = (few: number): { numRuns: number; seed: number } => ({
  numRuns: Math.ceil(few * times),
  seed: read("GRADSTEP_FUZZ_SEED", 42),
});
