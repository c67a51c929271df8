import * as tf from "@tensorflow/tfjs";
import { Command, Option } from "commander";
import { backends, type Backend, useBackend } from "./backend.ts";
import { trainConvolutions } from "./convolutions.ts";
import { trainMnist } from "./mnist.ts";
import { trainVerse } from "./verse.ts";
import { trainWords } from "./words.ts";

const backend = () => new Option("--backend <name>", "of TensorFlow.js").choices(backends).default("wasm");
const program = new Command("examples/tfjs/main.ts").description("TensorFlow.js models, trained with gradstep.");

program
  .command("mnist")
  .description("a small network on 20,000 images of MNIST, with model.fit")
  .addOption(backend())
  .action(async (options: { backend: Backend }) => {
    await useBackend(options.backend);
    const onEpoch = (epoch: number, { loss, acc }: tf.Logs) =>
      console.log(`epoch ${epoch}/3  loss ${loss.toFixed(4)}  accuracy ${acc.toFixed(4)}`);
    const accuracy = await trainMnist({ images: 20_000, testImages: 10_000, epochs: 3, onEpoch });
    console.log(`test accuracy ${accuracy.toFixed(4)}`);
  });

program
  .command("gpt")
  .description("a transformer of three layers on a verse, character by character")
  .addOption(backend())
  .action(async (options: { backend: Backend }) => {
    await useBackend(options.backend);
    const onStep = (step: number, loss: number) => {
      if (step === 1 || step % 20 === 0) console.log(`step ${step}/200  loss ${loss.toFixed(4)}`);
    };
    const { text } = trainVerse({ steps: 200, batch: 16, layers: 3, width: 48, onStep });
    console.log(`\n${text}…`);
  });

const onEpoch = (epoch: number, { loss, acc }: tf.Logs) =>
  console.log(`epoch ${epoch}  loss ${loss.toFixed(4)}  accuracy ${acc.toFixed(4)}`);

program
  .command("cnn")
  .description("a convolutional net on 6,000 images of MNIST, on the wasm backend")
  .action(async () => {
    await useBackend("wasm");
    const accuracy = await trainConvolutions({ images: 6000, testImages: 2000, epochs: 3, onEpoch });
    console.log(`test accuracy ${accuracy.toFixed(4)}`);
  });

program
  .command("words")
  .description("an embedding and an LSTM that tell friendly sentences from others, on the wasm backend")
  .action(async () => {
    await useBackend("wasm");
    const accuracy = await trainWords({ sentences: 2000, epochs: 8, onEpoch });
    console.log(`test accuracy ${accuracy.toFixed(4)}`);
  });

await program.parseAsync();
