// A thousand workers in virtual time over the real coordinator: fast, slow, vanishing and returning ones, lost messages and
// broken requests. A run gives the same bits as one with a single worker, in bounded time and memory.
import { expect, test } from "vitest";
import { ParameterDict, Random, SGD } from "../../src/index.js";
import type { Clock } from "../../src/distributed/clock.js";
import { Coordinator } from "../../src/distributed/coordinator.js";
import { Refused } from "../../src/distributed/fatal.js";
import type { CoordinatorBroker, Progress, Saved } from "../../src/distributed/interfaces.js";
import { Model } from "../../src/distributed/model.js";
import type { RunInfo, Task } from "../../src/distributed/run.js";
import { TaskRunner } from "../../src/distributed/worker.js";
import { hashOf } from "./hash.js";

/** Time that passes when nothing else is to be done. */
class VirtualTime implements Clock {
  #now = 0;
  readonly #events: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const event = { at: this.#now + ms, callback };
    // Sorted by binary search; of the same time, the earlier first.
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle].at <= event.at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
    return () => (event.callback = () => undefined);
  }

  /** Lets time pass until the promise settles. */
  async until<T>(promise: Promise<T>): Promise<T> {
    const state = { isSettled: false };
    const settled = promise.finally(() => (state.isSettled = true));
    settled.catch(() => undefined);
    while (!state.isSettled) {
      await new Promise((resolve) => setImmediate(resolve));
      const event = this.#events.shift();
      if (event === undefined) continue;
      this.#now = event.at;
      event.callback();
    }
    return settled;
  }
}

const settings = { replicas: 8, localSteps: 3, batchSize: 4, samples: 997, seed: 5 };
const SHAPES = { w: [40, 5], b: [5] };

/** A step whose gradients depend on all that it is given. */
function makeTrainer() {
  const params = new ParameterDict(SHAPES, { slots: 0 });
  const optimizer = new SGD(params, { lr: 0.05 });
  const step = ({ rows, seed }: { rows: Uint32Array; seed: number }): number => {
    let loss = 0;
    for (const name of params.names)
      params.data[name].forEach((x, i) => {
        const target = ((rows[i % rows.length] * 31 + (seed % 1013)) % 200) / 100 - 1;
        params.grad[name][i] = x - target;
        loss += (x - target) ** 2;
      });
    optimizer.step();
    return loss;
  };
  return { params, optimizer, step };
}

interface World {
  readonly workers: number;
  /** Of tasks, messages and requests: the share that is lost. */
  readonly loss: number;
  /** The share of workers that vanish during a task, for a while or for ever. */
  readonly vanishing: number;
  readonly seed: number;
  /** The broker refuses what it is asked for after five seconds, until all updates are purged, or for good. */
  readonly refuses?: "until purged" | "for good";
}

/** Workers, and a broker that gives each task to the one that has waited longest. */
class Simulation implements CoordinatorBroker {
  readonly term = 1;
  readonly #random: Random;
  readonly #idle: { name: string; pace: number }[];
  readonly #tasks: Task[] = [];
  readonly #stored = new Map<string, Uint8Array>();
  readonly #answers = new Map<string, Promise<Uint8Array>>();
  #messages: readonly Uint8Array[] = [];
  #info!: RunInfo;
  #runner: TaskRunner | undefined;
  most = 0;
  #isFull: boolean;

  constructor(
    readonly time: VirtualTime,
    readonly world: World,
  ) {
    this.#random = new Random(world.seed);
    this.#isFull = world.refuses !== undefined;
    // From a phone to a server: a factor of 55 between the slowest and the fastest.
    this.#idle = Array.from({ length: world.workers }, (_, i) => ({
      name: `w${i}`,
      pace: 20 * Math.exp(4 * this.#random.uniform()),
    }));
  }

  coordinator!: Coordinator;

  #isLost(): boolean {
    return this.#random.uniform() < this.world.loss;
  }

  async #request(): Promise<void> {
    await new Promise<void>((resolve) => this.time.after(1, resolve));
    if (this.#isLost()) throw new Error("timeout");
    if (this.#isFull && this.time.now() > 5000) throw new Refused("the store is full");
  }

  open(): Promise<void> {
    return this.#request();
  }

  async publishInfo(info: RunInfo): Promise<void> {
    await this.#request();
    this.#info = info;
  }

  async publishModel(messages: readonly Uint8Array[]): Promise<void> {
    await this.#request();
    this.#messages = messages;
    this.#answers.clear();
  }

  async publishTask(task: Task, sure: boolean): Promise<void> {
    if (sure) await this.#request();
    else if (this.#isLost()) return;
    // A stream keeps one message a subject.
    const isSame = ({ round, replica, check }: Task): boolean =>
      round === task.round && replica === task.replica && check === task.check;
    const before = this.#tasks.findIndex(isSame);
    if (before >= 0) this.#tasks.splice(before, 1);
    this.#tasks.push(task);
    this.#give();
  }

  readUpdates(round: number): Promise<void> {
    for (const [key, data] of this.#stored) this.#hand(key, data, round, true);
    return Promise.resolve();
  }

  purge(what: "updates" | "tasks", round?: number): Promise<void> {
    if (what === "updates" && round === undefined) this.#isFull &&= this.world.refuses === "for good";
    if (what === "tasks") {
      const others = this.#tasks.filter((task) => round !== undefined && task.round !== round);
      this.#tasks.splice(0, Infinity, ...others);
    } else
      for (const key of this.#stored.keys())
        if (round === undefined || key.startsWith(`${round} `)) this.#stored.delete(key);
    return Promise.resolve();
  }

  #hand(key: string, data: Uint8Array, round: number | undefined, isRepeated: boolean): void {
    const [ofRound, replica, worker] = key.split(" ");
    if (round !== undefined && Number(ofRound) !== round) return;
    this.coordinator.receive({ round: Number(ofRound), replica: Number(replica), worker, data, isRepeated });
  }

  /** Gives tasks to idle workers. */
  #give(): void {
    while (this.#tasks.length > 0 && this.#idle.length > 0) {
      const task = this.#tasks.shift()!;
      const worker = this.#idle.shift()!;
      const { time, world } = this;
      if (this.#random.uniform() < world.vanishing) {
        // For a while, or for ever where there are others.
        if (this.#idle.length < 3 || this.#random.uniform() < 0.5) time.after(20_000, () => this.#comeBack(worker));
        continue;
      }
      time.after(worker.pace * (0.8 + 0.4 * this.#random.uniform()), () => void this.#finish(task, worker));
    }
  }

  #comeBack(worker: { name: string; pace: number }): void {
    this.#idle.push(worker);
    this.#give();
  }

  async #finish(task: Task, worker: { name: string; pace: number }): Promise<void> {
    // All compute the same: once is enough.
    const id = `${task.replica} ${task.model} ${task.inner.join()}`;
    let answer = this.#answers.get(id);
    if (answer === undefined) this.#answers.set(id, (answer = this.#train(task)));
    const data = await answer;
    const key = `${task.round} ${task.replica} ${worker.name}`;
    this.#stored.set(key, data);
    this.most = Math.max(this.most, this.#stored.size);
    if (!this.#isLost()) this.#hand(key, data, undefined, false);
    this.#comeBack(worker);
  }

  #queue: Promise<unknown> = Promise.resolve();

  /** One after another, since they share the memory. */
  #train(task: Task): Promise<Uint8Array> {
    const trained = this.#queue.then(async () => {
      if (this.#runner === undefined) {
        const { params, optimizer, step } = makeTrainer();
        this.#runner = new TaskRunner(this.#info, Model.read("test", params, undefined), optimizer, step);
      }
      const received = this.#runner.read(this.#messages[0])!;
      if (!this.#runner.load(received.header.round, received.header.model, received.body)) throw new Error("damaged");
      // A late task starts from a model that is gone; what it sends then is foreign or late.
      return (await this.#runner.train({ ...task, model: received.header.model }, () => undefined))[0];
    });
    this.#queue = trained.catch(() => undefined);
    return trained;
  }
}

async function conduct(world: World, rounds: number) {
  const time = new VirtualTime();
  const broker = new Simulation(time, world);
  const params = new ParameterDict(SHAPES);
  const optimizer = new SGD(params, { lr: 0.7, momentum: 0.9, nesterov: true });
  const draws = new Random(world.seed);
  let saved: Saved | undefined;
  broker.coordinator = new Coordinator(
    {
      run: "simulated",
      model: Model.read("test", params, undefined),
      optimizer,
      settings,
      rounds,
      inner: null,
      verify: 0.05,
      draw: () => draws.uniform(),
    },
    broker,
    time,
    {
      load: () => Promise.resolve(undefined),
      save: (state) => {
        saved = state;
        return Promise.resolve();
      },
    },
  );
  const seen: Progress[] = [];
  await time.until(
    (async () => {
      for await (const progress of broker.coordinator.rounds()) seen.push(progress);
    })(),
  );
  expect(saved?.round).toBe(rounds);
  return { hash: hashOf(params), seen, seconds: time.now() / 1000, most: broker.most };
}

const ROUNDS = 60;
let expected: string;
test("one worker that never fails", async () => {
  const { hash, seen } = await conduct({ workers: 1, loss: 0, vanishing: 0, seed: 1 }, ROUNDS);
  expected = hash;
  expect(seen).toHaveLength(ROUNDS);
  expect(seen.at(-1)!.loss).not.toBe(seen[0].loss);
});

test.each([
  { workers: 2, loss: 0.05, vanishing: 0.1, seed: 2 },
  { workers: 32, loss: 0.05, vanishing: 0.1, seed: 3 },
  { workers: 1000, loss: 0.02, vanishing: 0.1, seed: 4 },
  { workers: 1000, loss: 0.2, vanishing: 0.3, seed: 5 },
])("$workers workers, of messages $loss lost, of tasks $vanishing abandoned", async (world) => {
  const { hash, seconds, most } = await conduct(world, ROUNDS);
  expect(hash).toBe(expected);
  // A task takes up to 1.2 s, and is issued again after at most 5 s more.
  expect(seconds / ROUNDS).toBeLessThan(world.workers === 2 ? 40 : 20);
  // What is stored are the updates of the rounds since the last save, and a few that came late.
  expect(most).toBeLessThan(20 * settings.replicas);
});

test("a store that others have filled is emptied; one that stays full ends the run with its reason", async () => {
  const world: World = { workers: 4, loss: 0, vanishing: 0, seed: 6, refuses: "until purged" };
  expect((await conduct(world, ROUNDS)).hash).toBe(expected);
  await expect(conduct({ ...world, refuses: "for good" }, ROUNDS)).rejects.toThrow(
    /^coordinate: the store is full, for 10 seconds$/,
  );
});
