// npm run speech: convolutions over sound learn to tell ten made words apart.
import { Command } from "commander";
import { AdamW } from "gradstep";
import { Network, batchNorm, conv1d, flatten, linear, relu } from "gradstep/nn";
import { asUsage } from "../command/errors.ts";
import { runCommand } from "../command/run.ts";
import { number, whole } from "../command/values.ts";
import { LENGTH, RATE, say, words } from "./words.ts";

interface CommandLine {
  epochs: number;
  train: number;
  test: number;
  batch: number;
  lr: number;
  seed: number;
}

const program = new Command("npm run speech --")
  .description(
    "Teaches a network of convolutions to tell ten spoken words apart. The words are not recorded: the command makes them, " +
      "each with a voice of its own.",
  )
  .helpOption("-h, --help", "show this text")
  .option("--epochs <n>", "passes over the words", whole(1, 10_000), 5)
  .option("--train <n>", "words to learn from", whole(1, 1_000_000), 3000)
  .option("--test <n>", "words by other voices to test with", whole(1, 1_000_000), 1000)
  .option("--batch <n>", "words in a batch", whole(2, 65536), 32)
  .option("--lr <number>", "learning rate", number, 2e-3)
  .option("--seed <n>", "of the words, the network's start and the order", whole(0, 2 ** 32 - 1), 1)
  .addHelpText(
    "after",
    `
Words: ${words.map(({ name }) => name).join(", ")}; ${LENGTH / RATE} s at ${RATE} Hz. A voice differs in pitch, length of the throat, pace,
loudness and noise. Loss: the mean over an epoch's words, each as its batch met it. Accuracy: of the words of the test.
Exit code: 0, or 2 for a wrong command line.

Example:
  npm run speech -- --epochs 10 --train 10000`,
  )
  .exitOverride();

async function main(): Promise<void> {
  const { epochs, train: count, test: testCount, batch, lr, seed } = program.opts<CommandLine>();
  const network = new Network(
    [1, LENGTH], // one channel of sound
    [
      conv1d(16, { kernelSize: 32, stride: 8 }),
      batchNorm(),
      relu(),
      conv1d(32, { kernelSize: 8, stride: 4 }),
      batchNorm(),
      relu(),
      conv1d(32, { kernelSize: 8, stride: 4 }),
      batchNorm(),
      relu(),
      flatten(),
      linear(words.length),
    ],
    { batchSize: batch, seed },
  );
  const optimizer = asUsage(() => new AdamW(network.params, { lr }));
  console.log(
    `${count} + ${testCount} made words (not recordings), ${LENGTH / RATE} s at ${RATE} Hz, ${words.length} kinds`,
  );
  console.log(`${network.params.numel.toLocaleString("en-US")} parameters, batch ${batch}, lr ${lr}, seed ${seed}`);

  const train = say(count, seed);
  const test = say(testCount, seed + 2 ** 32);
  const started = performance.now();
  await network.fit(train.x, train.y, {
    optimizer,
    epochs,
    validation: [test.x, test.y],
    onEpoch({ epoch, loss, validation }) {
      const accuracy = validation!.accuracy.toFixed(4);
      console.log(`epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}  accuracy ${accuracy}`);
    },
  });
  console.log(`trained and tested in ${((performance.now() - started) / 1000).toFixed(1)} s`);

  const heard = network.classify(test.x);
  console.log("what is heard of each word:");
  words.forEach(({ name }, word) => {
    const counts = words.map(
      (_, other) => heard.filter((guess, row) => test.y[row] === word && guess === other).length,
    );
    const said = counts.reduce((sum, n) => sum + n, 0);
    const list = counts
      .map((n, other) => ({ n, name: words[other].name }))
      .filter(({ n }) => n > 0)
      .sort((a, b) => b.n - a.n)
      .map(({ n, name }) => `${name} ${((100 * n) / said).toFixed(0)} %`);
    console.log(`  ${name.padEnd(4)} ${list.join(", ")}`);
  });
  console.log(`test accuracy ${network.evaluate(test.x, test.y).accuracy.toFixed(4)}`);
}

const hint = "Options begin with --: npm run speech -- --epochs 10";
runCommand(program, { script: "speech", example: "npm run speech -- --epochs 10", hint }, main);
