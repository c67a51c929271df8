import Table from "cli-table3";
import { makeChartFolder, smooth, writeChart } from "./chart.ts";
import type { Dataset } from "./idx.ts";
import { describeNetwork, optionsInJson, settingsOf } from "./once.ts";
import type { CommandLine } from "./options.ts";
import { type Report, accuracyText, lossText } from "./report.ts";
import { type RuleName, settleRules } from "./all-rules.ts";
import { train } from "./train.ts";

const CHART = "compare.svg";

/** `--compare`: each rule from the same start, with the same batches in the same order; a table and a chart. */
export async function compareRules(
  given: CommandLine,
  names: readonly RuleName[],
  load: () => Dataset,
  report: Report,
): Promise<object> {
  const settings = { ...settingsOf(given), schedule: undefined };
  const settled = settleRules(names, settings.options);
  makeChartFolder(CHART);
  const data = load();
  const about = describeNetwork(data, { rule: names[0], ...settings });
  report.line(about);
  const width = Math.max(...names.map((name) => name.length)) + 2;
  const results = [];
  for (const options of settled) {
    const watcher = report.watch(options.rule.padEnd(width), settings.epochs, true);
    results.push({ options, run: await train(data, { ...settings, rule: options.rule }, watcher) });
  }

  const table = new Table({
    head: ["rule", "lr", "training loss", "test accuracy", "seconds"],
    colAligns: ["left", "right", "right", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const { options, run } of results)
    table.push([
      options.rule,
      options.lr,
      lossText(run.epochs[settings.epochs - 1].loss),
      accuracyText(run.testAccuracy),
      run.seconds.toFixed(2),
    ]);
  report.line(table.toString());
  report.line("training loss: mean of the last epoch; seconds: trainBatch and step alone");

  const chart = writeChart(CHART, {
    title: `Training loss by update rule, batch ${settings.batch}, seed ${settings.seed}`,
    epochs: settings.epochs,
    y: "training loss, mean of 1/20 epoch",
    logarithmic: true,
    curves: results.map(({ options, run }) => ({ name: options.rule, points: smooth(run.losses, settings.epochs) })),
  });
  report.line(`chart: ${chart}`);
  return {
    options: { dialect: settings.options.dialect, ...optionsInJson(settings, given) },
    results: results.map(({ options, run: { epochs, seconds, testAccuracy } }) => ({
      ...options,
      epochs,
      seconds,
      testAccuracy,
    })),
    chart,
  };
}
