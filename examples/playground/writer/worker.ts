// Trains a GPT off the page's thread, a slice of time after another, and lets it write in between.
import type { AdamW } from "gradstep";
import { type Network, Random } from "gradstep/nn";
import type { Threads } from "gradstep/threads";
import { Alphabet } from "../../gpt/alphabet.ts";
import { makeModel, makeOptimizer } from "../../gpt/model.ts";
import { write } from "../../gpt/write.ts";
import { startThreads } from "../page/threads.ts";
import type { Reply, Request } from "./messages.ts";

const SIZES = { layers: 2, width: 64, heads: 4, context: 64 };
const BATCH = 16;
const RATE = 2e-3;
const SEED = 1;
const SLICE_MS = 25;
const REPORT_MS = 250;
const WRITE_MS = 1500;
const LENGTH = 200;
const TEMPERATURE = 0.7;

interface Opened {
  readonly alphabet: Alphabet;
  readonly numbers: Int32Array;
  readonly threads: Threads | undefined;
}

let opened: Opened | undefined;
let model: Network;
let optimizer: AdamW;
let random = new Random(SEED);
let steps = 0;
let prompt = "The ";
let training = false;
/** Whether a slice is to come: also for a while after a pause. */
let scheduled = false;
let sums = { loss: 0, steps: 0, ms: 0 };
let [reported, written] = [0, 0];

const reply = (message: Reply): void => postMessage(message);

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  answer(data).catch((error: unknown) => {
    training = false;
    reply({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  });
});

async function answer(request: Request): Promise<void> {
  switch (request.kind) {
    case "open": {
      const text = await fetchText(request.book);
      const alphabet = new Alphabet(text);
      opened = { alphabet, numbers: alphabet.encode(text), threads: await startThreads() };
      restart(opened);
      const characters = opened.numbers.length;
      const parameters = Object.values(model.params.data).reduce((sum, { length }) => sum + length, 0);
      reply({ kind: "ready", characters, parameters, threads: opened.threads?.size ?? 1 });
      return;
    }
    case "train":
      training = true;
      reported = written = performance.now();
      if (!scheduled) trainSlice();
      return;
    case "pause":
      training = false;
      return;
    case "restart":
      training = false;
      if (opened === undefined) return;
      optimizer.dispose();
      model.dispose();
      restart(opened);
      return;
    case "prompt":
      if (opened?.alphabet.has(request.text) !== true || request.text === "")
        throw new RangeError("a start needs characters, and only those of the book");
      prompt = request.text;
      if (steps > 0) writeText();
  }
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new Error(`cannot fetch ${url}: ${response.status}`);
  return new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).text();
}

function restart({ alphabet, threads }: Opened): void {
  model = makeModel(SIZES, alphabet.characters.length, { batchSize: BATCH, seed: SEED, threads });
  optimizer = makeOptimizer(model, RATE);
  random = new Random(SEED);
  steps = 0;
  sums = { loss: 0, steps: 0, ms: 0 };
}

/** A step on rows from anywhere in the book; each character's class is the one that comes next. */
function step({ numbers }: Opened): number {
  const { context } = SIZES;
  const x = new Int32Array(BATCH * context);
  const y = new Int32Array(BATCH * context);
  for (let row = 0; row < BATCH; row++) {
    const at = random.below(numbers.length - context);
    x.set(numbers.subarray(at, at + context), row * context);
    y.set(numbers.subarray(at + 1, at + 1 + context), row * context);
  }
  const loss = model.trainBatch(x, y);
  optimizer.step({ clipNorm: 1 });
  return loss;
}

/** Trains for a while, and asks to be called again. */
function trainSlice(): void {
  scheduled = false;
  if (!training || opened === undefined) return;
  const started = performance.now();
  let now: number;
  do {
    sums.loss += step(opened);
    sums.steps++;
    steps++;
    now = performance.now();
  } while (now - started < SLICE_MS);
  sums.ms += now - started;
  if (now - reported > REPORT_MS) report();
  if (now - written > WRITE_MS) writeText();
  scheduled = true;
  setTimeout(trainSlice);
}

function report(): void {
  const characters = sums.steps * BATCH * SIZES.context;
  const charactersPerSecond = Math.round((characters / sums.ms) * 1000);
  reply({ kind: "progress", steps, loss: sums.loss / sums.steps, charactersPerSecond });
  sums = { loss: 0, steps: 0, ms: 0 };
  reported = performance.now();
}

function writeText(): void {
  if (opened === undefined) return;
  const manner = { length: LENGTH, temperature: TEMPERATURE, seed: steps };
  const text = [...write(model, opened.alphabet, SIZES.context, prompt, manner)].join("");
  reply({ kind: "written", steps, prompt, text });
  written = performance.now();
}
