// npm run which: trains three networks with every rule at three learning rates, and puts what came of it into the page
// "Which optimizer?": a table and a chart.
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { startBar, stopBar, updateBar } from "../command/bar.ts";
import { runCommand } from "../command/run.ts";
import { whole } from "../command/values.ts";
import { chart } from "./chart.ts";
import { contender } from "./contenders.ts";
import { startProcess, trainAll } from "./pool.ts";
import { Results, allRuns } from "./results.ts";
import { put, report, scoreText } from "./table.ts";

const root = new URL("../../", import.meta.url);
const kept = new URL("results.json", import.meta.url);

const program = new Command("npm run which --")
  .description("Trains three networks with every rule at three learning rates; a table and a chart in the guide.")
  .helpOption("-h, --help", "show this text")
  .option("--workers <n>", "processes that train (default: one for each processor)", whole(1, 256))
  .option("--fresh", "train all anew, without the results that are kept")
  .addHelpText(
    "after",
    `
Each finished run is kept in examples/which/results.json: the command goes on where it was stopped, and draws when nothing
is left to train. Scores have the same bits on every machine.

Examples:
  npm run which
  npm run which -- --workers 1 --fresh`,
  )
  .exitOverride();

async function main(): Promise<void> {
  const { workers = availableParallelism(), fresh = false } = program.opts<{ workers?: number; fresh?: true }>();
  const results = fresh ? new Results() : Results.read(kept);
  const { pending } = results;
  const total = allRuns.length;
  let done = total - pending.length;
  console.log(`${total} runs, ${pending.length} of them to train`);
  const onTerminal = process.stdout.isTTY;
  if (onTerminal && pending.length > 0) startBar("runs", total, [`${total} of ${total}`]);
  await trainAll(pending, workers, startProcess, (run, score) => {
    results.add(run, score);
    results.write(kept);
    done++;
    const { label } = contender(run.contender);
    if (onTerminal) updateBar(done, [`${done} of ${total}`]);
    else
      console.log(
        `${done} of ${total}  ${run.task}  ${label}, lr ${run.lr}, seed ${run.seed}: ${scoreText(run.task, score)}`,
      );
  });
  if (onTerminal && pending.length > 0) stopBar([`${total} of ${total}`]);
  const page = new URL("docs/which-optimizer.md", root);
  writeFileSync(page, put(readFileSync(page, "utf8"), report(results)));
  const picture = new URL("docs/figures/which-optimizer.svg", root);
  writeFileSync(picture, chart(results));
  for (const file of [kept, page, picture]) console.log(fileURLToPath(file));
}

const hint = "Options begin with --: npm run which -- --workers 1";
runCommand(program, { script: "which", example: "npm run which -- --workers 1", hint }, main);
