// Trains off the page's thread, a slice of time after another, so that it can be asked something in between.
import type { Reply, Request } from "./messages.ts";
import type { Threads } from "gradstep/threads";
import { startThreads } from "../page/threads.ts";
import { Digits, PIXELS } from "./packing.ts";
import { Trainer } from "./trainer.ts";

const SLICE_MS = 25;
const REPORT_MS = 100;
/** Of an epoch: so close to its end there is no report but the one at its end. */
const NEAR_END = 0.1;
/** Test images of a report within an epoch. */
const GLIMPSE = 2000;

let digits: { train: Digits; test: Digits } | undefined;
let threads: Threads | undefined;
let trainer: Trainer | undefined;
/** Trains until then, in epochs, or is paused. */
let goal: number | undefined;
/** Whether a slice is to come: also for a while after a pause. */
let scheduled = false;
let example = 0;
let reported = 0;
/** Between reports: training takes at least four times as long as they do. */
let pause = REPORT_MS;
let sums = { loss: 0, batches: 0, samples: 0, ms: 0 };

const reply = (message: Reply, transfer: Transferable[] = []): void => postMessage(message, { transfer });

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  answer(data).catch((error: unknown) => {
    reply({ kind: "failed", what: data.kind, message: error instanceof Error ? error.message : String(error) });
  });
});

async function answer(request: Request): Promise<void> {
  switch (request.kind) {
    case "open": {
      const [train, test] = await Promise.all([fetchDigits(request.train), fetchDigits(request.test)]);
      digits = { train, test };
      threads = await startThreads();
      trainer = new Trainer(train, request.setup, threads);
      const { standing } = trainer;
      reply({ kind: "ready", train: train.count, test: test.count, threads: threads?.size ?? 1, standing });
      return;
    }
    case "restart": {
      replace(new Trainer(opened().digits.train, request.setup, threads));
      return;
    }
    case "rate":
      opened().trainer.setRate(request.lr);
      return;
    case "train":
      goal = Math.floor(opened().trainer.epochs) + request.epochs;
      sums = { loss: 0, batches: 0, samples: 0, ms: 0 };
      reported = performance.now();
      if (!scheduled) trainSlice();
      return;
    case "pause":
      if (goal === undefined) return;
      goal = undefined;
      reply({ kind: "stopped", finished: false });
      return;
    case "predict":
      reply({ kind: "prediction", probabilities: opened().trainer.predict(request.image) });
      return;
    case "example": {
      showExample();
      return;
    }
    case "save": {
      const { trainer } = opened();
      const file = trainer.save() as Uint8Array<ArrayBuffer>;
      reply({ kind: "saved", file, standing: trainer.standing }, [file.buffer]);
      return;
    }
    case "load": {
      const { digits, trainer } = opened();
      const loaded = Trainer.from(request.file, digits.train, trainer.setup, threads);
      replace(loaded);
      reply({ kind: "loaded", standing: loaded.standing, accuracy: loaded.accuracyOn(digits.test) });
    }
  }
}

function opened(): { digits: { train: Digits; test: Digits }; trainer: Trainer } {
  if (digits === undefined || trainer === undefined) throw new Error("the images are not here yet");
  return { digits, trainer };
}

async function fetchDigits(url: string): Promise<Digits> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new Error(`cannot fetch ${url}: ${response.status}`);
  const unzipped = new Response(response.body.pipeThrough(new DecompressionStream("gzip")));
  return new Digits(new Uint8Array(await unzipped.arrayBuffer()));
}

function replace(other: Trainer): void {
  goal = undefined;
  trainer?.dispose();
  trainer = other;
  reply({ kind: "fresh", standing: other.standing });
}

function showExample(): void {
  const { test } = opened().digits;
  const image = new Float32Array(PIXELS);
  test.unpack(example, image);
  reply({ kind: "example", image, label: test.labels[example] });
  example = (example + 1) % test.count;
}

/** Trains for a while, and asks to be called again. */
function trainSlice(): void {
  scheduled = false;
  const { trainer } = opened();
  if (goal === undefined) return;
  const started = performance.now();
  let now: number;
  let ended: boolean;
  do {
    const { rows, loss } = trainer.trainBatch();
    sums.loss += loss;
    sums.batches++;
    sums.samples += rows;
    ended = trainer.betweenEpochs;
    now = performance.now();
  } while (!ended && now - started < SLICE_MS);
  sums.ms += now - started;
  if (ended || (now - reported > pause && trainer.epochs % 1 < 1 - NEAR_END)) report(ended);
  if (ended && trainer.epochs >= goal) {
    goal = undefined;
    reply({ kind: "stopped", finished: true });
  } else {
    scheduled = true;
    setTimeout(trainSlice);
  }
}

function report(whole: boolean): void {
  const { digits, trainer } = opened();
  const started = performance.now();
  const accuracy = trainer.accuracyOn(digits.test, whole ? digits.test.count : GLIMPSE);
  const { loss, batches, samples, ms } = sums;
  const samplesPerSecond = Math.round((samples / ms) * 1000);
  const { epochs, filters } = trainer;
  reply({ kind: "progress", epochs, loss: loss / batches, accuracy, whole, samplesPerSecond, filters });
  sums = { loss: 0, batches: 0, samples: 0, ms: 0 };
  reported = performance.now();
  if (!whole) pause = Math.max(REPORT_MS, 4 * (reported - started));
}
