// npm run gpt: a transformer learns a book, character by character, and writes.
import { Command, Option } from "commander";
import { load } from "gradstep/checkpoint";
import type { Network } from "gradstep/nn";
import { Threads } from "gradstep/threads";
import { checkPlace, loadInto, openCheckpoint } from "../command/checkpoint.ts";
import { UserError, asUsage } from "../command/errors.ts";
import { runCommand } from "../command/run.ts";
import { number, whole } from "../command/values.ts";
import { Alphabet } from "./alphabet.ts";
import { readText } from "./book.ts";
import { makeModel, makeOptimizer, makeSchedule } from "./model.ts";
import { type Report, counted, grouped, lines, lossText, silent, terminal, timeText } from "./report.ts";
import { ENTRY, type Settings, defaults, savedSettings, settle } from "./settings.ts";
import { begin, goOn, train, validate } from "./train.ts";
import { write } from "./write.ts";

/** The command line, read. */
interface CommandLine extends Partial<Settings> {
  text?: string;
  every?: number;
  until?: number;
  checkpoint?: string;
  resume?: string;
  sample?: string;
  length: number;
  temperature: number;
  threads?: number;
  json?: true;
}

/** A training has so many legs, each of at most so many steps. */
const LEGS = { count: 10, steps: 500 };
/** What the model goes on after at the end of its training. */
const START = "Call me";

const setting = (name: keyof Settings): string => `(default: ${defaults[name]})`;
const program = new Command("npm run gpt --")
  .description("Teaches a small transformer the text of Moby Dick, character by character, and lets it write.")
  .helpOption("-h, --help", "show this text")
  .option("--steps <n>", `steps of the whole run ${setting("steps")}`, whole(1, 1e7))
  .option("--batch <n>", `pieces of the text in a step ${setting("batch")}`, whole(1, 65536))
  .option("--lr <number>", `learning rate after the warm-up ${setting("lr")}`, number)
  .option("--layers <n>", `blocks of attention and dense layers ${setting("layers")}`, whole(1, 256))
  .option("--width <n>", `numbers that stand for a character ${setting("width")}`, whole(1, 65536))
  .option("--heads <n>", `heads of the attention; they divide the width ${setting("heads")}`, whole(1, 65536))
  .option("--context <n>", `characters that the model sees ${setting("context")}`, whole(1, 65536))
  .option("--seed <n>", `of the network's start, of what it reads and writes ${setting("seed")}`, whole(0, 2 ** 32 - 1))
  .option("--text <file>", "learn this text, in UTF-8 (default: the book)")
  .option(
    "--every <n>",
    "steps between validations and checkpoints (default: 500, or a tenth of --steps)",
    whole(1, 1e7),
  )
  .option("--until <n>", "stop after so many of the steps; --resume goes on", whole(1, 1e7))
  .option("--checkpoint <file>", "write all that the run has come to into this file")
  .option("--resume <file>", "go on from a checkpoint, with the bits of a run that was never stopped")
  .option("--sample <text>", "do not train: go on after this text, with the model of --resume or --checkpoint")
  .option("--length <n>", "characters to write", whole(0, 1e6), 500)
  .addOption(
    new Option("--temperature <number>", "how freely it writes; 0 always takes the likeliest character")
      .default(0.8)
      .argParser(number),
  )
  .option("--threads <n>", "threads to compute on, with the same bits (default: one for each processor)", whole(1, 32))
  .option("--json", "print one JSON object and nothing else (npm run --silent gpt -- --json)")
  .addHelpText(
    "after",
    `
Loss: cross-entropy in nats a character, the mean since the line before. Validation: on 128 pieces of the last tenth of
the text, which is not learned; at the end on all of it. Tokens/s: trainBatch and step alone; a token is a character.
AdamW (betas 0.9, 0.99, decay 0.1 for matrices), gradients clipped to a norm of 1, a warm-up of 100 steps, then a cosine
down to a tenth of the rate. A checkpoint is a safetensors file. --resume takes the settings of its run from there.
Exit code: 0, 1 for a missing or damaged file, 2 for a wrong command line.

Examples:
  npm run gpt -- --steps 500
  npm run gpt -- --checkpoint gpt.safetensors
  npm run gpt -- --checkpoint gpt.safetensors --resume gpt.safetensors
  npm run gpt -- --resume gpt.safetensors --sample "Call me"`,
  )
  .exitOverride();

async function main(): Promise<void> {
  const given = program.opts<CommandLine>();
  if (!(given.temperature >= 0)) program.error("error: option '--temperature <number>' expects a number >= 0");
  const report = given.json ? silent : process.stdout.isTTY ? terminal : lines;
  const result = given.sample === undefined ? await trainAndWrite(given, report) : sample(given, given.sample, report);
  if (given.json) console.log(JSON.stringify(result, null, 2));
}

async function trainAndWrite(given: CommandLine, report: Report): Promise<object> {
  const { checkpoint } = given;
  const resume = given.resume === undefined ? undefined : openCheckpoint(given.resume, ENTRY);
  checkPlace(checkpoint);
  const settings = settle(given, resume && savedSettings(resume));
  const { steps, batch, context, lr, seed } = settings;
  const until = given.until ?? steps;
  if (until > steps) throw new UserError(`--until ${until} is more than --steps ${steps}`, 2);
  const every = given.every ?? Math.min(LEGS.steps, Math.ceil(steps / LEGS.count));
  const text = readText(given.text, context);
  const threads = given.threads === 1 ? undefined : await Threads.create(given.threads);
  try {
    const options = { batchSize: batch, seed, threads };
    const model = asUsage(() => makeModel(settings, text.alphabet.characters.length, options));
    const optimizer = asUsage(() => makeOptimizer(model, lr));
    const schedule = makeSchedule(optimizer, lr, steps);
    const trained = { model, optimizer, schedule };
    const progress = resume === undefined ? begin(seed) : goOn(resume, trained, settings, text, until);
    const { layers, width, heads } = settings;
    const count = grouped(model.params.numel);
    report.line(
      `${counted(layers, "layer")} of width ${width}, ${counted(heads, "head")}, context ${context}: ${count} parameters`,
    );
    const size = grouped(text.train.length + text.validation.length);
    report.line(`${size} characters, ${text.alphabet.characters.length} different ones; the last tenth for validation`);
    report.line(
      `batch ${batch}, lr ${lr}, seed ${seed}, ${counted(threads?.size ?? 1, "thread")}; tokens/s: trainBatch and step alone`,
    );
    const watcher = report.watch(steps, batch * context);
    const keeping = { checkpoint, every, until };
    const { legs, losses, seconds } = await train(trained, settings, text, progress, watcher, keeping);
    const done = losses.length;
    if (done < steps) report.line(`stopped after ${done} of ${steps} steps`);
    const { loss, accuracy, characters } = validate(model, text.validation, context);
    report.line(
      `validation loss ${lossText(loss)} (accuracy ${accuracy.toFixed(4)}) on ${grouped(characters)} characters; ` +
        `trained for ${timeText(seconds)}`,
    );
    const start = text.alphabet.has(START) ? START : text.alphabet.character(text.train[0]);
    const written = writeTo(report, model, text.alphabet, context, start, { ...given, seed });
    return { settings, legs, losses: [...losses], seconds, validation: { loss, accuracy }, text: written };
  } finally {
    await threads?.dispose();
  }
}

/** `--sample`: the model of a checkpoint writes. */
function sample(given: CommandLine, start: string, report: Report): object {
  const path = given.resume ?? given.checkpoint;
  if (path === undefined) throw new UserError("--sample wants the model of a checkpoint: --resume <file>", 2);
  const file = openCheckpoint(path, ENTRY, "sample from");
  const saved = savedSettings(file);
  const { layers, width, heads, context } = settle(given, saved);
  const alphabet = new Alphabet(saved.alphabet);
  if (start === "") throw new UserError("--sample wants a text of one or more characters", 2);
  alphabet.encode(start); // throws before anything is made
  const model = asUsage(() =>
    makeModel({ layers, width, heads, context }, alphabet.characters.length, { batchSize: 1 }),
  );
  loadInto(file, () => load(file.bytes, model));
  return { text: writeTo(report, model, alphabet, context, start, { ...given, seed: given.seed ?? saved.seed }) };
}

/** Prints the text as it is written. */
function writeTo(
  report: Report,
  model: Network,
  alphabet: Alphabet,
  context: number,
  start: string,
  manner: { length: number; temperature: number; seed: number },
): string {
  let text = start;
  report.text(`\n${start}`);
  for (const character of write(model, alphabet, context, start, manner)) {
    report.text(character);
    text += character;
  }
  report.line("");
  return text;
}

const hint = 'Options begin with --, texts with spaces stand in quotes: npm run gpt -- --resume gpt --sample "Call me"';
runCommand(program, { script: "gpt", example: "npm run gpt -- --steps 500", hint }, main);
