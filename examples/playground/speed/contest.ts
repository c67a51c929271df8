import { Adam, ParameterDict } from "gradstep";
import { SharedParameterDict, type Threads } from "gradstep/threads";
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
  /** On several threads, where the page is isolated. */
  readonly threads?: { readonly count: number; readonly ns: number; readonly ratio: number };
}

/** Lets gradstep's Adam, on one thread and on several, and the plain loop step in turns on as many parameters. */
export function contest(size: number, threads?: Threads, rounds = ROUNDS, sampleMs = SAMPLE_MS): Outcome {
  const one = adamOn(new ParameterDict({ all: [size] }));
  const several = threads === undefined ? [] : [adamOn(new SharedParameterDict({ all: [size] }, { threads }))];
  const [p, g] = [one.params.data.all.slice(), one.params.grad.all.slice()];
  const slots = [new Float32Array(size), new Float32Array(size)];
  let t = 0;
  const contenders: (() => void)[] = [one, ...several].map(
    ({ optimizer }) =>
      () =>
        void optimizer.step(),
  );
  contenders.push(() => adam(p, g, slots, ++t));
  for (const run of contenders) callsOf(run, 5 * sampleMs); // compiled in full before the calls of a sample are counted
  const times = inTurns(
    contenders.map((run) => ({ run, calls: callsOf(run, sampleMs) })),
    rounds,
    1,
  );
  for (const { optimizer, params } of [one, ...several]) {
    optimizer.dispose();
    params.dispose();
  }
  const perParameter = (rounds: number[]): number => (median(rounds) / size) * 1e9;
  const [ours, loop] = [times[0], times[times.length - 1]];
  const outcome = { size, gradstep: perParameter(ours), loop: perParameter(loop), ratio: ratio(loop, ours) };
  if (threads === undefined) return outcome;
  return { ...outcome, threads: { count: threads.size, ns: perParameter(times[1]), ratio: ratio(loop, times[1]) } };
}

/** Adam on parameters and gradients that are not all alike. */
function adamOn(params: ParameterDict<"all">): { params: ParameterDict<"all">; optimizer: Adam } {
  for (const view of [params.data.all, params.grad.all])
    for (let i = 0; i < view.length; i++) view[i] = Math.sin(i * 12.9898 + view.byteOffset) * 0.1 + 0.001;
  return { params, optimizer: new Adam(params) };
}

/** How many calls take so long. */
function callsOf(run: () => void, sampleMs: number): number {
  for (let calls = 1; ; calls *= 2) {
    const started = performance.now();
    for (let i = 0; i < calls; i++) run();
    if (performance.now() - started >= sampleMs) return calls;
  }
}
