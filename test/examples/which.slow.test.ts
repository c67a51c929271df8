// npm run which: how runs are divided and kept, and that the page and the chart are those of the committed results.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { chart } from "../../examples/which/chart.ts";
import { contenderNames } from "../../examples/which/contenders.ts";
import { type Worker, trainAll } from "../../examples/which/pool.ts";
import { Results, allRuns, ratesOf } from "../../examples/which/results.ts";
import { bestOf, put, ranking, report } from "../../examples/which/table.ts";
import { readTask } from "../../examples/which/tasks.ts";
import { type Run, train } from "../../examples/which/train.ts";
import { temporaryFolder } from "./tiny-files.ts";

const root = new URL("../../", import.meta.url);
const committed = Results.read(new URL("examples/which/results.json", root));

describe("runs", () => {
  const runs = allRuns.slice(0, 7);
  const scored: Run[] = [];
  const fake = (trains: (run: Run) => Promise<number>, stopped: string[] = []): (() => Worker) => {
    let count = 0;
    return () => {
      const name = String(count++);
      return { train: trains, stop: () => void stopped.push(name) };
    };
  };

  test("are each trained once, by as many workers as there is work for, which are stopped then", async () => {
    for (const [workers, started] of [
      [2, 2],
      [99, 7],
    ]) {
      const stopped: string[] = [];
      scored.length = 0;
      await trainAll(
        runs,
        workers,
        fake(({ lr }) => Promise.resolve(lr), stopped),
        (run, score) => {
          expect(score).toBe(run.lr);
          scored.push(run);
        },
      );
      expect(new Set(scored)).toEqual(new Set(runs));
      expect([scored.length, stopped.length]).toEqual([7, started]);
    }
  });

  test("end with the first worker that fails", async () => {
    const stopped: string[] = [];
    const fails = ({ lr }: Run): Promise<number> =>
      lr === runs[3].lr ? Promise.reject(new Error("died")) : Promise.resolve(1);
    await expect(trainAll(runs, 2, fake(fails, stopped), () => undefined)).rejects.toThrow("died");
    expect(stopped).toHaveLength(2);
  });

  test("are all different, three of each contender on each task", () => {
    expect(new Set(allRuns.map((run) => JSON.stringify(run))).size).toBe(allRuns.length);
    for (const who of contenderNames) expect(new Set(ratesOf("mlp", who)).size).toBe(3);
  });
});

describe("results", () => {
  const file = pathToFileURL(join(temporaryFolder(), "results.json"));

  test("are found again in their file, but for those of a task that has changed", () => {
    const results = Results.read(file);
    expect(results.pending).toHaveLength(allRuns.length);
    const [first, last] = [allRuns[0], allRuns[allRuns.length - 1]];
    results.add(first, 2.5);
    results.add(last, null);
    results.write(file);
    const again = Results.read(file);
    expect([again.get(first), again.get(last), again.pending.length]).toEqual([2.5, null, allRuns.length - 2]);

    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/("gpt":\{.*?"gradients":)\d+/, "$17"));
    const changed = Results.read(file);
    expect([changed.get(first), changed.get(last)]).toEqual([2.5, undefined]);
  });

  test("are ranked by the mean place of the best rate; a run without a score is the worst", () => {
    const results = new Results();
    for (const run of allRuns) results.add(run, run.contender === "lion" ? null : run.contender === "muon" ? 1 : 2);
    const order = ranking(results);
    expect(order[0]).toEqual({ who: "muon", place: 1 });
    expect(order[1].place).toBeCloseTo(2, 12);
    expect(order[order.length - 1].who).toBe("lion");
    expect(order[order.length - 1].place).toBeCloseTo(contenderNames.length, 12);
    expect([bestOf([null, 3, 2]), bestOf([null, null, null])]).toEqual([2, Infinity]);
    expect(report(results)).toMatch(/\[Lion\]\(rules\.md#lion\) \| 41\.0 \| [\d.]+ \| – · – · – \| – · – · – /);
    expect(report(results)).toContain("| **1.00** · **1.00** · **1.00** |");
  });

  test("that are committed have every run, and the page and the chart are theirs", () => {
    expect(committed.pending).toEqual([]);
    const page = readFileSync(new URL("docs/which-optimizer.md", root), "utf8");
    expect(put(page, report(committed))).toBe(page);
    expect(chart(committed) === readFileSync(new URL("docs/figures/which-optimizer.svg", root), "utf8")).toBe(true);
  });

  test("that are committed are those of the library as it is", () => {
    const task = readTask("mlp");
    for (const contender of ["signum", "lion-cautious"] as const) {
      const run = { task: "mlp", contender, lr: ratesOf("mlp", contender)[1], seed: 1 } as const;
      expect(train(run, task), contender).toBe(committed.get(run));
    }
  });
});
