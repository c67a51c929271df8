// npm run bench:peers: gradstep beside what a user would pick instead. Writes results.json; report.ts draws it.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { Command } from "commander";
import { list, whole } from "../choices.ts";
import { rules } from "./contender.ts";
import { contenders } from "./list.ts";
import { mnist } from "./mnist.ts";
import { withPeers } from "./peer.ts";
import { type Results, type StepCase, layoutName, ordered } from "./results.ts";
import { layouts, stepCase } from "./steps.ts";

interface Choice {
  contenders: string[];
  rules: string[];
  sizes: string[];
  rounds: number;
  mnist: boolean;
  mnistSeconds: number;
  out: string;
}

const command = new Command("bench:peers")
  .description("Compares gradstep with plain JavaScript, other libraries and C, in turns, each in its own process.")
  .addOption(list("--contenders <names>", "who takes part", Object.keys(contenders)))
  .addOption(list("--rules <names>", "update rules", rules))
  .addOption(list("--sizes <layouts>", "tensors", Object.keys(layouts)))
  .option("--rounds <n>", "turns of each contender", whole, 11)
  .option("--no-mnist", "leave the network out")
  .option("--mnist-seconds <n>", "a contender's most for its epoch", whole, 20)
  .option("--out <file>", "where the results go", new URL("results.json", import.meta.url).pathname)
  .parse();
const choice = command.opts<Choice>();

// The first is what the others are compared with.
const [first, ...others] = choice.contenders;
const names = first === "gradstep" ? choice.contenders : ["gradstep", first, ...others];
const started = performance.now();

const measured = await withPeers(names, async (peers, absent) => {
  const steps: StepCase[] = [];
  const ofSteps = peers.filter(({ name }) => name !== "dense");
  for (const rule of rules)
    for (const [name, layout] of Object.entries(layouts)) {
      if (!choice.rules.includes(rule) || !choice.sizes.includes(name)) continue;
      const measured = await stepCase(ofSteps, absent, rule, layout, choice.rounds);
      const result = { ...measured, cells: ordered(names, measured.cells) };
      steps.push(result);
      report(result);
    }
  const ofNet = peers.filter(({ name }) => !["traffic", "native"].includes(name));
  const trained = choice.mnist ? ordered(names, await mnist(ofNet, absent, choice.mnistSeconds)) : {};
  for (const [name, cell] of Object.entries(trained))
    print(
      `MNIST  ${contenders[name].label}`,
      "reason" in cell
        ? cell.reason
        : `${Math.round(cell.samplesPerSecond.median).toLocaleString("en")} samples/s, accuracy ${cell.accuracy} after ${cell.samples.toLocaleString("en")}`,
    );
  return { steps, mnist: trained };
});

const results: Results = {
  date: new Date().toISOString().slice(0, 10),
  machine: {
    processor: cpus()[0].model,
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
  },
  versions: versions(),
  labels: Object.fromEntries(names.map((name) => [name, contenders[name].label])),
  rounds: choice.rounds,
  ...measured,
};
writeFileSync(choice.out, `${JSON.stringify(results, null, 1)}\n`);
console.log(`${choice.out}, in ${Math.round((performance.now() - started) / 1000)} s`);

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
