// Results as markdown.
import type { Rule } from "./contender.ts";
import { type Model, units } from "./models.ts";
import {
  type Absent,
  type Measured,
  type Results,
  type Spread,
  type StepCase,
  type Timed,
  type Trained,
  layoutName,
} from "./results.ts";

export const ruleNames: Readonly<Record<Rule, string>> = {
  adam: "Adam",
  adamw: "AdamW",
  sgd: "SGD",
  momentum: "SGD with momentum",
};

/** Six steps move a parameter by about 0.006. */
const AGREED = 1e-5;

export const isAbsent = (cell: Timed | Trained | Measured | Absent): cell is Absent => "reason" in cell;

export const digits = (value: number): string =>
  value < 10 ? value.toFixed(value < 1 ? 2 : 1) : Math.round(value).toLocaleString("en");

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

const between = ({ quartiles: [low, high] }: Spread): string => `${digits(low)} to ${digits(high)}`;

/** A row a contender, a column a layout; below it, why what is missing is missing. */
export function stepsTable({ steps, labels }: Results, rule: Rule, quartiles = false): string {
  const cases = steps.filter((one) => one.rule === rule);
  const notes: string[] = [];
  const rows = Object.entries(labels).flatMap(([name, label]) => {
    const cells = cases.flatMap(({ cells }) => (name in cells ? [cells[name]] : []));
    if (cells.length === 0) return [];
    const reasons = [...new Set(cells.filter(isAbsent).map(({ reason }) => reason))];
    if (reasons.length > 0) notes.push(`${label}: ${reasons.join("; ")}.`);
    if (cells.every(isAbsent)) return [];
    const off = Math.max(...cells.map((cell) => (isAbsent(cell) ? 0 : (cell.furthest ?? 0))));
    if (off > AGREED) notes.push(`${label}: its parameters differ from gradstep's by up to ${off} after six steps.`);
    return [[label, ...cells.map((cell) => (isAbsent(cell) ? "see below" : timed(cell, name, quartiles)))]];
  });
  const head = [ruleNames[rule], ...cases.map(({ layout }) => layoutName(layout))];
  return [table(head, rows), ...(notes.length > 0 ? [notes.join(" ")] : [])].join("\n\n");
}

function timed({ nanosecondsPerElement, timesGradstep }: Timed, name: string, quartiles: boolean): string {
  const time = `${digits(nanosecondsPerElement.median)} ns`;
  if (name === "gradstep") return quartiles ? `${time} (${between(nanosecondsPerElement)})` : time;
  const times = `${digits(timesGradstep.median)}×`;
  return quartiles ? `${time}, ${times} (${between(timesGradstep)})` : `${time}, ${times}`;
}

export function mnistTable({ mnist, labels }: Results): string {
  const notes: string[] = [];
  const rows = Object.entries(mnist).flatMap(([name, cell]) => {
    if (isAbsent(cell)) {
      notes.push(`${labels[name]}: ${cell.reason}.`);
      return [];
    }
    const { samplesPerSecond, timesGradstep, accuracy, samples } = cell;
    return [
      [
        labels[name],
        Math.round(samplesPerSecond.median).toLocaleString("en"),
        name === "gradstep" ? "" : `${digits(timesGradstep.median)} (${between(timesGradstep)})`,
        accuracy.toFixed(4),
        samples.toLocaleString("en"),
      ],
    ];
  });
  const head = ["784-128-10, batch 64, Adam", "samples/s", "gradstep is faster by", "test accuracy", "after samples"];
  return [table(head, rows), ...(notes.length > 0 ? [notes.join(" ")] : [])].join("\n\n");
}

const networkNames: Readonly<Record<Model, [title: string, unit: string]>> = {
  cnn: ["CNN, 64 images a step", "images"],
  gpt: ["GPT, 1,024 characters a step", "characters"],
};

/** Losses are around 2 to 4. */
const SAME_LOSS = 1e-3;

export function networkTable({ networks, labels }: Results, model: Model): string {
  const notes: string[] = [];
  const rows = Object.entries(networks.cells[model]).flatMap(([name, cell]) => {
    if (isAbsent(cell)) {
      notes.push(`${labels[name]}: ${cell.reason.replace(/^Error: /, "")}.`);
      return [];
    }
    const { cpuMilliseconds, wallMilliseconds, timesGradstep, lossDifference, note } = cell;
    const off = lossDifference > SAME_LOSS && `its loss after a step differs by ${lossDifference.toPrecision(1)}`;
    const remarks = [note, off].filter((remark) => remark);
    if (remarks.length > 0) notes.push(`${labels[name]}: ${remarks.join("; ")}.`);
    return [
      [
        labels[name],
        digits(cpuMilliseconds.median),
        digits(wallMilliseconds.median),
        Math.round((units[model] / cpuMilliseconds.median) * 1000).toLocaleString("en"),
        name === "gradstep" ? "" : `${digits(timesGradstep.median)} (${between(timesGradstep)})`,
      ],
    ];
  });
  const [title, unit] = networkNames[model];
  const head = [title, "CPU ms a step", "ms by the clock", `${unit} a CPU second`, "gradstep is faster by"];
  return [table(head, rows), ...(notes.length > 0 ? [notes.join(" ")] : [])].join("\n\n");
}

/** How near gradstep is to the machine: rates, and its speed over that of C and of a pass with the same traffic. */
export function distanceTable({ steps, labels }: Results): string {
  const others = ["traffic", "gcc", "native"].filter((name) => name in labels);
  const rows = steps
    .filter(({ layout }) => layout.count === 1)
    .flatMap(({ rule, layout, bytesPerElement, cells }) => {
      const ours = cells.gradstep;
      if (isAbsent(ours)) return [];
      const rate = Math.round(bytesPerElement / ours.nanosecondsPerElement.median);
      return [[ruleNames[rule], layoutName(layout), String(rate), ...others.map((name) => share(cells[name]))]];
    });
  return table(["", "elements", "GB/s", ...others.map((name) => `speed over: ${labels[name]}`)], rows);
}

const share = (cell: Timed | Absent): string =>
  isAbsent(cell) ? cell.reason : `${cell.timesGradstep.median.toFixed(2)} (${between(cell.timesGradstep)})`;
