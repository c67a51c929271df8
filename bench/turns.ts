import { Bench } from "tinybench";

/** A contender's seconds per call in each round (the round's median), as taken in turns with the others. */
export type Rounds = number[];

/**
 * Times contenders in turns: in each round every one gets a short Bench of its own, so that a slow spell of the machine
 * hits all of them. `calls` calls make a sample, to be long against the clock.
 */
export function inTurns(
  contenders: readonly { run: () => void; calls: number }[],
  rounds: number,
  samples = 5,
): Rounds[] {
  const times: Rounds[] = contenders.map(() => []);
  for (const { run } of contenders) for (let i = 0; i < 6; i++) run(); // V8 needs about five calls to reach its speed
  for (let round = 0; round < rounds; round++) {
    contenders.forEach(({ run, calls }, k) => {
      const bench = new Bench({ time: 0, iterations: samples, warmup: false, retainSamples: true });
      bench.add("contender", () => {
        for (let i = 0; i < calls; i++) run();
      });
      const [task] = bench.runSync();
      if (!("latency" in task.result)) throw new Error("a contender did not finish", { cause: task.result });
      times[k].push(median(task.result.latency.samples ?? []) / 1000 / calls);
    });
  }
  return times;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** The median of a/b, pair by pair. */
export const ratio = (a: Rounds, b: Rounds): number => median(a.map((x, i) => x / b[i]));
