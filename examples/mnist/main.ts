import { Command, Option } from "commander";
import { runCommand } from "../command/run.ts";
import { choice, number, whole } from "../command/values.ts";
import { mnistDirectory, readDataset } from "./idx.ts";
import { type CommandLine, betas, decay, rule, ruleList, widths } from "./options.ts";
import { type Report, lines, silent, terminal } from "./report.ts";
import { allRules, ruleNames, takesBetas } from "./all-rules.ts";
import { modelNames } from "./models.ts";
import { trainOnce } from "./once.ts";
import { scheduleNames } from "./train.ts";

const program = new Command("npm start --")
  .description("Trains a network on MNIST, or on other images in its format, with gradstep.")
  .helpOption("-h, --help", "show this text")
  .addOption(new Option("--rule <name>", `update rule: ${ruleNames.join(", ")}`).default("adam").argParser(rule))
  .option(
    "--epochs <n>",
    "passes over the training images (default: 3; 5 for resnet and in the experiment)",
    whole(1, 10_000),
  )
  .option("--batch <n>", "images in a batch; a shorter last one is kept", whole(1, 1_000_000), 64)
  .option("--lr <number>", `learning rate (default: ${learningRates()})`, number)
  .option(
    "--betas <b1,b2>",
    `decay rates of ${ruleNames.filter(takesBetas).join(", ")} (default: those of the rule)`,
    betas,
  )
  .addOption(
    new Option("--dialect <name>", "whose semantics and further defaults the rule has: torch or keras")
      .default("torch")
      .argParser(choice("torch", "keras")),
  )
  .addOption(
    new Option(
      "--model <name>",
      "mlp: dense layers; cnn: two convolutions; resnet: convolutions, batch norm, residuals",
    )
      .default("mlp")
      .argParser(choice(...modelNames)),
  )
  .addOption(
    new Option("--hidden <widths>", "widths of the mlp's hidden layers, such as 128 or 256,128")
      .default([128], "128")
      .argParser(widths),
  )
  .option("--seed <n>", "of the network's start and of the order of the images", whole(0, 2 ** 32 - 1), 1)
  .option("--data <folder>", "four IDX files, named as MNIST's, also with .gz (default: the real MNIST)")
  .option("--json", "print one JSON object and nothing else (npm start --silent -- --json)")
  .addOption(
    new Option("--compare <rules>", "train with each of these rules from the same start; a table, a chart in out/")
      .argParser(ruleList)
      .conflicts("rule"),
  )
  .addOption(
    new Option("--experiment <name>", "betas: Adam in Keras's semantics, betas 0.9,0.999 against 0.1,0.1, batch 32")
      .argParser(choice("betas"))
      .conflicts(["compare", "rule", "betas", "lr", "dialect", "hidden", "batch"]),
  )
  .option("--seeds <n>", "runs of the experiment with each pair, from --seed on (default: 10)", whole(1, 1000))
  .addOption(
    new Option(
      "--schedule <name>",
      "learning rate over the run: constant, or down to 0: cosine, linear (default: constant; cosine for resnet)",
    )
      .argParser(choice(...scheduleNames))
      .conflicts(["compare", "experiment"]),
  )
  .addOption(
    new Option("--ema <decay>", "test a moving average of the weights, with this decay, such as 0.999")
      .argParser(decay)
      .conflicts(["compare", "experiment"]),
  )
  .addOption(
    new Option("--checkpoint <file>", "write all that the run has come to into this file, after each epoch").conflicts([
      "compare",
      "experiment",
    ]),
  )
  .option("--every <n>", "write it after every n batches instead, and at the end", whole(1, 1e9))
  .addOption(
    new Option("--resume <file>", "go on from a checkpoint, with the bits of a run that was never stopped").conflicts([
      "compare",
      "experiment",
    ]),
  )
  .addHelpText(
    "after",
    `
Loss: the mean over an epoch's samples, each as its batch met it. Accuracy: of the test images, all of them after an
epoch, 500 while it runs. Samples/s: trainBatch and step, without reading, shuffling, gathering and testing.
A checkpoint is a safetensors file. --resume wants the settings of its run; only --epochs may differ.
Exit code: 0, 1 for a missing or damaged file, 2 for a wrong command line.

Examples:
  npm start -- --rule nesterov --lr 0.05 --epochs 1
  npm start -- --model cnn --schedule cosine
  npm start -- --compare sgd,momentum,nesterov,adagrad,adadelta,rmsprop,adam,nadam
  npm start -- --experiment betas
  npm start -- --checkpoint run.safetensors --every 100
  npm start -- --checkpoint run.safetensors --resume run.safetensors --epochs 6`,
  )
  .exitOverride();

function learningRates(): string {
  return Object.entries(allRules)
    .map(([name, { lr }]) => `${name} ${lr}`)
    .join(", ");
}

async function main(): Promise<void> {
  const given = program.opts<CommandLine>();
  if (given.seeds !== undefined && given.experiment === undefined)
    program.error("error: option '--seeds <n>' goes with '--experiment betas'");
  if (given.every !== undefined && given.checkpoint === undefined)
    program.error("error: option '--every <n>' goes with '--checkpoint <file>'");
  if (given.model !== "mlp" && program.getOptionValueSource("hidden") === "cli")
    program.error("error: option '--hidden <widths>' goes with '--model mlp'");
  const report: Report = given.json ? silent : process.stdout.isTTY ? terminal : lines;
  const load = () => readDataset(given.data ?? mnistDirectory());
  const result =
    given.experiment !== undefined
      ? await (await import("./betas.ts")).compareBetas(given, load, report)
      : given.compare !== undefined
        ? await (await import("./compare.ts")).compareRules(given, given.compare, load, report)
        : await trainOnce(given, load, report);
  if (given.json) console.log(JSON.stringify(result, null, 2));
}

const hint = "Options begin with --, lists have no spaces: npm start -- --compare sgd,adam";
runCommand(program, { script: "start", example: "npm start -- --rule sgd", hint }, main);
