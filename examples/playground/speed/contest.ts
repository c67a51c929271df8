import { Adam, ParameterDict } from "gradstep";
import { adam } from "../../../bench/loops.ts";
import { inTurns, median, ratio } from "../../../bench/turns.ts";

export const SIZES = [1024, 16_384, 262_144, 1_048_576];
export const ROUNDS = 9;
/** A sample is to be long against the clocks of browsers, which tick once a millisecond. */
const SAMPLE_MS = 20;

/** Nanoseconds a parameter, and how many times faster gradstep is: the median of the ratios by pairs. */
export interface Outcome {
  readonly size: number;
  readonly gradstep: number;
  readonly loop: number;
  readonly ratio: number;
}

/** Lets gradstep's Adam and the plain loop step in turns on as many parameters. */
export function contest(size: number, rounds = ROUNDS, sampleMs = SAMPLE_MS): Outcome {
  const params = new ParameterDict({ all: [size] });
  for (const view of [params.data.all, params.grad.all])
    for (let i = 0; i < size; i++) view[i] = Math.sin(i * 12.9898 + view.byteOffset) * 0.1 + 0.001;
  const optimizer = new Adam(params);
  const [p, g] = [params.data.all.slice(), params.grad.all.slice()];
  const slots = [new Float32Array(size), new Float32Array(size)];
  let t = 0;
  const contenders = [() => void optimizer.step(), () => adam(p, g, slots, ++t)];
  for (const run of contenders) callsOf(run, 5 * sampleMs); // compiled in full before the calls of a sample are counted
  const [ours, theirs] = inTurns(
    contenders.map((run) => ({ run, calls: callsOf(run, sampleMs) })),
    rounds,
    1,
  );
  optimizer.dispose();
  params.dispose();
  const perParameter = (rounds: number[]): number => (median(rounds) / size) * 1e9;
  return { size, gradstep: perParameter(ours), loop: perParameter(theirs), ratio: ratio(theirs, ours) };
}

/** How many calls take so long. */
function callsOf(run: () => void, sampleMs: number): number {
  for (let calls = 1; ; calls *= 2) {
    const started = performance.now();
    for (let i = 0; i < calls; i++) run();
    if (performance.now() - started >= sampleMs) return calls;
  }
}
