import * as tf from "@tensorflow/tfjs";
import { Command, Option } from "commander";
import { backends, type Backend, useBackend } from "./backend.ts";
import { trainMnist } from "./mnist.ts";
import { trainVerse } from "./verse.ts";

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

await program.parseAsync();
