// How fast a race is shown: steps follow each other evenly at first, then by equal factors, since some rules take ten steps to a
// minimum and others ten thousand.

/** Steps a second at first. */
export const PACES = [2, 5, 10, 20, 40, 80, 160, 240] as const;
export const FIRST_PACE = 4;
const EVEN_STEPS = 150;

/** Steps a second after some steps. */
export const rateAfter = (steps: number, pace: number): number => pace * Math.max(1, steps / EVEN_STEPS);

/** How many seconds the first steps take. */
export function secondsFor(steps: number, pace: number): number {
  if (steps <= EVEN_STEPS) return steps / pace;
  return (EVEN_STEPS / pace) * (1 + Math.log(steps / EVEN_STEPS));
}

/** How many steps are done after some seconds; not whole. */
export function stepsAfter(seconds: number, pace: number): number {
  const even = EVEN_STEPS / pace;
  return seconds <= even ? seconds * pace : EVEN_STEPS * Math.exp(seconds / even - 1);
}
