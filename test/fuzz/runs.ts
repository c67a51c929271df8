// How often property tests run, and from which seed: always the same in `npm test`, more and other ones in `npm run fuzz`.

const read = (variable: string, fallback: number): number => Number(process.env[variable] ?? fallback);

/** The factor for the number of runs in `npm test`. */
export const times = read("GRADSTEP_FUZZ_RUNS", 1);

/** Parameters of `fc.assert` for a property that runs `few` times in `npm test`. A failure prints the seed and the path. */
export const runs = (few: number): { numRuns: number; seed: number } => ({
  numRuns: Math.ceil(few * times),
  seed: read("GRADSTEP_FUZZ_SEED", 42),
});
