// tsx child.ts <contender>: serves one contender on standard input and output, a line an answer.
//
//   open <rule> <tensors> <length>   "ok", or why there is nothing to time
//   step <calls>                     "ok"
//   turn <samples> <calls>           seconds a call: the median of `samples` samples of `calls` calls each
//   values                           the first 16 parameters
//   close                            "ok"
//   net                              "ok", or why there is no network
//   train <from> <batches>           seconds in the library, over these batches of the shuffled training set
//   test                             accuracy on the test set
//   network <model>                  "ok" and what differs, or why there is nothing to train
//   run <from> <steps>               wall and CPU seconds of these steps, and the loss of the last
//
// steps.c answers the first five in the same way.
import { createInterface } from "node:readline";
import { Bench } from "tinybench";
import { median } from "../turns.ts";
import type { Net, Rule, Steps, Training } from "./contender.ts";
import { contenders } from "./list.ts";
import { images, start } from "./images.ts";
import { type Model, batchOf } from "./models.ts";

console.log = console.info = console.warn = () => undefined; // libraries' greetings

const entry = contenders[process.argv[2]];
if (!("load" in entry)) throw new Error(`${process.argv[2]} does not run in Node`);
const contender = await entry.load();
let steps: Steps | undefined;
let net: Net | undefined;
let training: { of: Training; model: Model } | undefined;
/** Whether a step is one to wait for. */
let waits = false;

async function answer(line: string): Promise<string> {
  const [command, ...words] = line.split(" ");
  const [a, b] = words.map(Number);
  switch (command) {
    case "open": {
      const opened = contender.steps(words[0] as Rule, { count: Number(words[1]), length: Number(words[2]) });
      if (typeof opened === "string") return opened;
      steps = opened;
      return "ok";
    }
    case "step":
      for (let i = 0; i < a; i++) {
        const done = steps!.step();
        waits = done instanceof Promise;
        await done;
      }
      return "ok";
    case "turn":
      return String(await turn(steps!, a, b));
    case "values":
      return Array.from(steps!.values()).join(" ");
    case "close":
      steps?.dispose();
      steps = net = training = undefined;
      return "ok";
    case "net": {
      const opened = contender.net(start());
      if (typeof opened === "string") return opened;
      net = opened;
      return "ok";
    }
    case "train":
      return String(await train(net!, a, b));
    case "test": {
      const { x, y } = images().test();
      const found = await net!.predict(x, y.length);
      return String(y.filter((label, i) => found[i] === label).length / y.length);
    }
    case "network": {
      const model = words[0] as Model;
      const opened = contender.network?.(model) ?? "it has no such network";
      if (typeof opened === "string") return opened;
      training = { of: opened, model };
      return `ok ${opened.note ?? ""}`;
    }
    case "run":
      return (await run(training!, a, b)).join(" ");
    default:
      throw new Error(`no such command: ${line}`);
  }
}

async function turn({ step }: Steps, samples: number, calls: number): Promise<number> {
  const bench = new Bench({ time: 0, iterations: samples, warmup: false, retainSamples: true });
  bench.add(
    "turn",
    waits
      ? async () => {
          for (let i = 0; i < calls; i++) await step();
        }
      : () => {
          for (let i = 0; i < calls; i++) void step();
        },
  );
  const [{ result }] = waits ? await bench.run() : bench.runSync();
  if (!("latency" in result)) throw new Error("the turn did not finish", { cause: result });
  return median(result.latency.samples ?? []) / 1000 / calls;
}

async function run({ of, model }: { of: Training; model: Model }, from: number, steps: number): Promise<number[]> {
  let loss = NaN;
  batchOf(model, 0);
  const used = process.cpuUsage();
  const start = performance.now();
  for (let i = from; i < from + steps; i++) loss = await of.step(batchOf(model, i));
  const wall = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(used);
  return [wall, (user + system) / 1e6, loss];
}

async function train({ train }: Net, from: number, batches: number): Promise<number> {
  let seconds = 0;
  for (let i = from; i < from + batches; i++) {
    const { x, y } = images().batch(i);
    const start = performance.now();
    await train(x, y);
    seconds += (performance.now() - start) / 1000;
  }
  return seconds;
}

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(line).catch((error: unknown) => `error ${String(error).replaceAll("\n", " ")}`);
  process.stdout.write(`${reply}\n`);
}
