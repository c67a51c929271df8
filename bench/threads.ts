// One thread against several, in turns, on the same work: `npm run bench:threads -- [threads]`.
import Table from "cli-table3";
import { Adam, AdamW, ParameterDict, SGD, gradNorm } from "../src/index.js";
import { MLP } from "../src/nn/index.js";
import { SharedParameterDict, Threads } from "../src/threads/index.js";
import { type Rounds, median, ratio } from "./turns.js";

const SIZES = [65_536, 131_072, 262_144, 1_048_576, 16_777_216];
const ROUNDS = 9;
/** Milliseconds of other work before each call, in which the workers go to sleep. */
const OTHER = 2;

const count = Number(process.argv.at(2) ?? 2);
const threads = await Threads.create(count, { script: new URL("../dist/threads/worker.js", import.meta.url) });

/** The same numbers in both: real ones, since zeros make denormals. */
function filled<Dict extends ParameterDict>(params: Dict): Dict {
  let x = 1;
  const next = (): number => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) / 2 ** 32 - 0.5;
  for (const name of params.names)
    for (const view of [params.data[name], params.grad[name]]) view.forEach((_, i) => (view[i] = next()));
  return params;
}

/** Seconds a call, without what is done before each: the median of each round, as the contenders take turns. */
function inTurns(contenders: readonly (() => unknown)[], samples: number, before: () => void): Rounds[] {
  const times: Rounds[] = contenders.map(() => []);
  const take = (run: () => unknown): number => {
    before();
    const start = performance.now();
    run();
    return (performance.now() - start) / 1000;
  };
  for (let round = -2; round < ROUNDS; round++)
    contenders.forEach((run, k) => {
      const taken = Array.from({ length: samples }, () => take(run));
      if (round >= 0) times[k].push(median(taken));
    });
  return times;
}

function other(): void {
  for (const until = performance.now() + OTHER; performance.now() < until;);
}

const table = new Table({
  head: ["", "elements", "1 thread", `${count} threads`, "times as fast", `after ${OTHER} ms of other work`],
  style: { head: [], border: [] },
});
/** A row of the table: one thread and several, hot, and after other work. */
function report(name: string, elements: number, contenders: readonly (() => unknown)[], samples: number): void {
  const [a, b] = inTurns(contenders, samples, () => undefined);
  const [c, d] = inTurns(contenders, Math.min(30, samples), other);
  const us = (x: Rounds): string => `${(median(x) * 1e6).toFixed(0)} µs`;
  const ratios = [ratio(a, b), ratio(c, d)].map((x) => `${x.toFixed(2)}×`);
  table.push([name, elements.toLocaleString("en"), us(a), us(b), ...ratios]);
}
const jobs = {
  AdamW: (params: ParameterDict) => {
    const optimizer = new AdamW(params);
    return () => optimizer.step();
  },
  SGD: (params: ParameterDict) => {
    const optimizer = new SGD(params, { lr: 1e-6, momentum: 0.9 });
    return () => optimizer.step();
  },
  "AdamW, clipped": (params: ParameterDict) => {
    const optimizer = new AdamW(params);
    return () => optimizer.step({ clipNorm: 1 });
  },
  gradNorm: (params: ParameterDict) => () => gradNorm(params),
};
for (const [name, job] of Object.entries(jobs)) {
  for (const size of SIZES) {
    const slots = { slots: 2 };
    const [one, many] = [
      filled(new ParameterDict({ w: [size] }, slots)),
      filled(new SharedParameterDict({ w: [size] }, { threads, ...slots })),
    ];
    await new Promise((resolve) => setTimeout(resolve, 20)); // the workers get the memory
    const contenders = [job(one), job(many)];
    const samples = Math.max(5, Math.min(200, Math.round(2e7 / size)));
    report(name, size, contenders, samples);
    one.arena.dispose();
    many.arena.dispose();
  }
}
for (const rows of [64, 256]) {
  const [x, y] = [new Float32Array(rows * 784), Array.from({ length: rows }, (_, i) => i % 10)];
  for (let i = 0; i < x.length; i += 5) x[i] = (i % 251) / 250; // images are mostly black
  const contenders = [{}, { threads }].map((options) => {
    const mlp = new MLP([784, 128, 10], { batchSize: rows, ...options });
    const optimizer = new Adam(mlp.params, { lr: 1e-6 });
    return () => {
      mlp.trainBatch(x, y);
      optimizer.step();
    };
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  report(`MLP, batch of ${rows}`, 784 * 128 + 128 * 10 + 138, contenders, 40);
}
console.log(table.toString());
await threads.dispose();
