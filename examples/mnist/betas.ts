import Table from "cli-table3";
import { makeChartFolder, smooth, writeChart } from "./chart.ts";
import type { Dataset } from "./idx.ts";
import { describeNetwork, optionsInJson } from "./once.ts";
import type { CommandLine } from "./options.ts";
import { type Report, accuracyText, lossText } from "./report.ts";
import { settleRules } from "./all-rules.ts";
import { type Run, type Settings, train } from "./train.ts";

const SEEDS = 10;
const EPOCHS = 5;
const pairs = [
  [0.9, 0.999],
  [0.1, 0.1],
] as const;

interface Outcome {
  readonly betas: readonly [number, number];
  readonly runs: readonly Run[];
  readonly accuracy: Spread;
  readonly loss: Spread;
}

/**
 * `--experiment betas`: what Adam's betas do, as Keras would do it: Glorot's start, Keras's defaults, batch 32, shuffled
 * each epoch, the last short batch kept.
 */
export async function compareBetas(given: CommandLine, load: () => Dataset, report: Report): Promise<object> {
  const { epochs = EPOCHS, seeds = SEEDS, seed: first, model } = given;
  const settings = { model, hidden: [128], init: "glorot", batch: 32, epochs, seed: first } as const;
  const settled = pairs.map((betas) => settleRules(["adam"], { dialect: "keras", betas })[0]);
  makeChartFolder("betas-loss.svg");
  const data = load();
  const about = describeNetwork(data, { rule: "adam", options: settled[0], ...settings });
  report.line(`${about}${seeds > 1 ? ` to ${first + seeds - 1}` : ""}`);
  report.line(`adam, lr ${settled[0].lr}, dialect keras, Glorot's start, ${epochs} epochs`);

  const outcomes: Outcome[] = [];
  for (const betas of pairs) {
    const runs: Run[] = [];
    for (let seed = first; seed < first + seeds; seed++) {
      const run: Settings = { rule: "adam", options: { dialect: "keras", betas }, ...settings, seed };
      runs.push(await train(data, run, report.watch(`${betas.join(",").padEnd(9)} seed ${seed} `, epochs, true)));
    }
    outcomes.push({
      betas,
      runs,
      accuracy: spread(runs.map(({ testAccuracy }) => testAccuracy)),
      loss: spread(runs.map((run) => run.epochs[epochs - 1].loss)),
    });
  }

  const table = new Table({
    head: ["betas", "runs", "test accuracy", "lowest to highest", "training loss", "lowest to highest"],
    style: { head: [], border: [] },
  });
  for (const { betas, runs, accuracy, loss } of outcomes)
    table.push([betas.join(", "), runs.length, ...[show(accuracy, accuracyText), show(loss, lossText)].flat()]);
  report.line(table.toString());
  report.line("mean ± standard deviation of the runs; training loss: mean over the last epoch's batches");

  const finding = describe(outcomes[0], outcomes[1]);
  report.line(finding);
  const charts = draw(outcomes, epochs);
  report.line(`charts: ${charts.join(", ")}`);
  return {
    options: { rule: "adam", lr: settled[0].lr, dialect: "keras", ...optionsInJson(settings, given), seeds },
    results: outcomes.map(({ betas, runs, accuracy, loss }) => ({
      betas,
      testAccuracy: accuracy,
      trainingLoss: loss,
      runs: runs.map((run, i) => ({ seed: first + i, epochs: run.epochs, testAccuracy: run.testAccuracy })),
    })),
    finding,
    charts,
  };
}

interface Spread {
  readonly mean: number;
  /** Of the sample; null for one run. */
  readonly deviation: number | null;
  readonly lowest: number;
  readonly highest: number;
}

function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null;
  return { mean, deviation, lowest: Math.min(...values), highest: Math.max(...values) };
}

const show = ({ mean, deviation, lowest, highest }: Spread, text: (value: number) => string): string[] => [
  deviation === null ? text(mean) : `${text(mean)} ± ${text(deviation)}`,
  `${text(lowest)} to ${text(highest)}`,
];

const nameOf = ({ betas }: Outcome): string => `betas ${betas.join(", ")}`;

/** A sentence on what was seen, from the numbers alone. */
function describe(a: Outcome, b: Outcome): string {
  const points = (a.accuracy.mean - b.accuracy.mean) * 100;
  const ratio = a.loss.mean / b.loss.mean;
  const accuracy =
    points === 0 ? "equal to" : `${Math.abs(points).toFixed(2)} points ${points > 0 ? "above" : "below"}`;
  const times = `${(ratio > 1 ? ratio : 1 / ratio).toFixed(1)} times as ${ratio > 1 ? "high" : "low"} as`;
  return (
    `Seen: with ${nameOf(a)} the test accuracy is ${accuracyText(a.accuracy.mean)}, ` +
    `${accuracy} the ${accuracyText(b.accuracy.mean)} with ${nameOf(b)} (${apart(a.accuracy, b.accuracy)}), ` +
    `and the training loss ${lossText(a.loss.mean)}, ` +
    `${Number.isFinite(ratio) ? times : "against"} the ${lossText(b.loss.mean)} (${apart(a.loss, b.loss)}).`
  );
}

/** Whether the difference stands out from the seeds' spread. */
function apart(a: Spread, b: Spread): string {
  if (a.deviation === null) return "one run each";
  return a.lowest > b.highest || b.lowest > a.highest ? "no run overlaps" : "the runs overlap";
}

function draw(outcomes: readonly Outcome[], epochs: number): string[] {
  const heading = "Adam's betas on MNIST, a line a run";
  return [
    writeChart("betas-loss.svg", {
      title: `${heading}: training loss`,
      epochs,
      y: "training loss, mean of 1/20 epoch",
      logarithmic: true,
      curves: outcomes.flatMap((outcome) =>
        outcome.runs.map(({ losses }) => ({ name: nameOf(outcome), points: smooth(losses, epochs) })),
      ),
    }),
    writeChart("betas-accuracy.svg", {
      title: `${heading}: test accuracy`,
      epochs,
      y: "test accuracy after the epoch",
      curves: outcomes.flatMap((outcome) =>
        outcome.runs.map((run) => ({
          name: nameOf(outcome),
          points: run.epochs.map(({ epoch, accuracy }) => [epoch, accuracy] as const),
        })),
      ),
    }),
  ];
}
