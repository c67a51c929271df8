// npm run bench:peers: gradstep beside what a user would pick instead. Writes results.json; report.ts draws it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { Command } from "commander";
import { list, whole } from "../choices.ts";
import { rules } from "./contender.ts";
import { type Part, contenders, parts, partsOf } from "./list.ts";
import { mnist } from "./mnist.ts";
import { type Model, models } from "./models.ts";
import { train } from "./networks.ts";
import { withPeers } from "./peer.ts";
import { type Absent, type Measured, type Results, type StepCase, layoutName, ordered } from "./results.ts";
import { layouts, stepCase } from "./steps.ts";

interface Choice {
  contenders: string[];
  rules: string[];
  sizes: string[];
  rounds: number;
  parts: Part[];
  mnistSeconds: number;
  networks: Model[];
  networkSeconds: number;
  out: string;
}

const command = new Command("bench:peers")
  .description("Compares gradstep with plain JavaScript, other libraries and C, in turns, each in its own process.")
  .addOption(list("--contenders <names>", "who takes part", Object.keys(contenders)))
  .addOption(list("--rules <names>", "update rules", rules))
  .addOption(list("--sizes <layouts>", "tensors", Object.keys(layouts)))
  .option("--rounds <n>", "turns of each contender", whole, 11)
  .addOption(list("--parts <names>", "what to measure; the rest stays in the file as it is", parts))
  .option("--mnist-seconds <n>", "a contender's most for its epoch", whole, 20)
  .addOption(list("--networks <names>", "networks to train", models))
  .option("--network-seconds <n>", "a contender's most for all turns with a network", whole, 20)
  .option("--out <file>", "where the results go", new URL("results.json", import.meta.url).pathname)
  .parse();
const choice = command.opts<Choice>();

// The first is what the others are compared with.
const names = Object.keys(contenders).filter(
  (name) =>
    (name === "gradstep" || choice.contenders.includes(name)) &&
    partsOf(name).some((part) => choice.parts.includes(part)),
);
const now = new Date().toISOString().slice(0, 10);
const started = performance.now();

const measured = await withPeers(names, async (peers, reasons) => {
  const among = (part: Part) => peers.filter(({ name }) => partsOf(name).includes(part));
  const absentOf = (part: Part) =>
    Object.fromEntries(Object.entries(reasons).filter(([name]) => partsOf(name).includes(part)));
  const steps: StepCase[] = [];
  const [ofSteps, absent] = [among("steps"), absentOf("steps")];
  for (const rule of choice.parts.includes("steps") ? rules : [])
    for (const [name, layout] of Object.entries(layouts)) {
      if (!choice.rules.includes(rule) || !choice.sizes.includes(name)) continue;
      const measured = await stepCase(ofSteps, absent, rule, layout, choice.rounds);
      const result = { ...measured, cells: ordered(names, measured.cells) };
      steps.push(result);
      report(result);
    }
  const trained = choice.parts.includes("mnist")
    ? ordered(names, await mnist(among("mnist"), absentOf("mnist"), choice.mnistSeconds))
    : {};
  for (const [name, cell] of Object.entries(trained))
    print(
      `MNIST  ${contenders[name].label}`,
      "reason" in cell
        ? cell.reason
        : `${Math.round(cell.samplesPerSecond.median).toLocaleString("en")} samples/s, accuracy ${cell.accuracy} after ${cell.samples.toLocaleString("en")}`,
    );
  const cells: Record<Model, Record<string, Measured | Absent>> = { cnn: {}, gpt: {} };
  for (const model of choice.parts.includes("networks") ? choice.networks : []) {
    const ofModel = among("networks").filter(({ name }) => model === "cnn" || name !== "dense"); // a GPT has no zeros
    const found = await train(ofModel, absentOf("networks"), model, choice.rounds, choice.networkSeconds);
    cells[model] = ordered(names, found);
    for (const [name, cell] of Object.entries(cells[model]))
      print(
        `${model}  ${contenders[name].label}`,
        "reason" in cell
          ? cell.reason
          : `${cell.cpuMilliseconds.median} ms of CPU, ${cell.timesGradstep.median} × gradstep; ${cell.wallMilliseconds.median} ms by the clock; ${cell.turns} × ${cell.stepsPerTurn} steps, loss off by ${cell.lossDifference}`,
      );
  }
  return { steps, mnist: trained, networks: { date: now, rounds: choice.rounds, cells } };
});

/** What the file has of the parts that were not measured. */
const kept = choice.parts.length < parts.length && existsSync(choice.out) ? read(choice.out) : undefined;

const results: Results = {
  date: now,
  machine: {
    processor: cpus()[0].model,
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
  },
  versions: versions(),
  labels: labelsOf(names),
  rounds: choice.rounds,
  ...measured,
  ...(kept && merged(kept)),
};
writeFileSync(choice.out, `${JSON.stringify(results, null, 1)}\n`);
console.log(`${choice.out}, in ${Math.round((performance.now() - started) / 1000)} s`);

function read(path: string): Results {
  return JSON.parse(readFileSync(path, "utf8")) as Results;
}

/** The old results where there are no new ones, and names and versions of both. */
function merged(old: Results): Partial<Results> {
  const labels: Results["labels"] = { ...old.labels, ...labelsOf(names) };
  const has = (part: Part): boolean => choice.parts.includes(part);
  return {
    ...(has("steps") ? {} : { date: old.date, rounds: old.rounds, steps: old.steps }),
    ...(has("mnist") ? {} : { mnist: old.mnist }),
    ...(has("networks") ? {} : { networks: old.networks }),
    labels: ordered(Object.keys(contenders), labels),
    versions: { ...old.versions, ...versions() },
  };
}

function labelsOf(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, contenders[name].label]));
}

function versions(): Record<string, string> {
  const read = (path: string): string =>
    (JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as { version: string }).version;
  const peers = names.flatMap((name) => {
    const entry = contenders[name];
    return "npm" in entry && entry.npm ? [[entry.npm, read(`node_modules/${entry.npm}/package.json`)]] : [];
  });
  return {
    gradstep: read("../../package.json"),
    node: process.versions.node,
    v8: process.versions.v8,
    ...(Object.fromEntries(peers) as Record<string, string>),
  };
}

function report({ rule, layout, cells }: StepCase): void {
  for (const [name, cell] of Object.entries(cells))
    print(
      `${rule} ${layoutName(layout)}  ${contenders[name].label}`,
      "reason" in cell
        ? cell.reason
        : `${cell.nanosecondsPerElement.median} ns, ${cell.timesGradstep.median} × gradstep (${cell.timesGradstep.quartiles.join(" to ")})`,
    );
}

function print(what: string, text: string): void {
  console.log(`${what.padEnd(66)} ${text}`);
}
