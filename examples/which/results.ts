// The runs there are, and what the finished ones came to, in a file that each new result is added to.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { type ContenderName, contenderNames } from "./contenders.ts";
import { rates } from "./rates.ts";
import { type Plan, type TaskName, plans, taskNames } from "./tasks.ts";
import type { Run, Score } from "./train.ts";

/** What the middle rate is multiplied by. */
export const factors = [0.3, 1, 3] as const;
export const SEED = 1;
/** Who trains from other seeds, too, at its middle rate, which shows how much chance there is in a score. */
export const REPEATED: ContenderName = "adam";
export const SEEDS = [1, 2, 3, 4, 5];

/** The three rates of a contender, smallest first, to one digit. */
export const ratesOf = (task: TaskName, who: ContenderName): number[] =>
  factors.map((factor) => Number((rates[who][plans[task].data] * factor).toPrecision(1)));

export const repeatedRuns = (task: TaskName): Run[] =>
  SEEDS.map((seed) => ({ task, contender: REPEATED, lr: ratesOf(task, REPEATED)[1], seed }));

/** Every run, each once. */
export const allRuns: readonly Run[] = taskNames.flatMap((task) => [
  ...contenderNames.flatMap((who) => ratesOf(task, who).map((lr) => ({ task, contender: who, lr, seed: SEED }))),
  ...repeatedRuns(task).filter(({ seed }) => seed !== SEED),
]);

/** A run and its score, as the file has them. */
interface Finished extends Run {
  readonly score: Score;
}

const keyOf = ({ task, contender, lr, seed }: Run): string => [task, contender, lr, seed].join(" ");

/** What finished runs came to. */
export class Results {
  readonly #scores = new Map<string, Score>();

  /** Reads a file of {@link write}, without the runs of tasks that have changed since; one that is not there has none. */
  static read(file: URL): Results {
    const results = new Results();
    if (!existsSync(file)) return results;
    const saved = JSON.parse(readFileSync(file, "utf8")) as { plans: Record<string, Plan>; runs: Finished[] };
    for (const run of saved.runs)
      if (JSON.stringify(saved.plans[run.task]) === JSON.stringify(plans[run.task])) results.add(run, run.score);
    return results;
  }

  add(run: Run, score: Score): void {
    this.#scores.set(keyOf(run), score);
  }

  /** The score of a run; undefined where it has not finished. */
  get(run: Run): Score | undefined {
    return this.#scores.get(keyOf(run));
  }

  get pending(): Run[] {
    return allRuns.filter((run) => this.get(run) === undefined);
  }

  /** Writes the results of the runs there are, in their order. A reader never sees half a file. */
  write(file: URL): void {
    const runs = allRuns.flatMap((run) => {
      const score = this.get(run);
      return score === undefined ? [] : [`    ${JSON.stringify({ ...run, score } satisfies Finished)}`];
    });
    const draft = new URL(`${file.href}.part`);
    writeFileSync(draft, `{\n  "plans": ${JSON.stringify(plans)},\n  "runs": [\n${runs.join(",\n")}\n  ]\n}\n`);
    renameSync(draft, file);
  }
}
