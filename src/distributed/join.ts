// join(): a worker that takes tasks of a run until the run ends.
import type { NatsConnection } from "@nats-io/nats-core";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Saveable } from "../memory/saved.js";
import type { Vector } from "../memory/tensor.js";
import { optionsOf, wrongType, wrongValue } from "../util/check.js";
import { type Signal, readSignal } from "../util/signal.js";
import { Waker, realClock } from "./clock.js";
import { Fatal } from "./fatal.js";
import { checkConnection } from "./link.js";
import { Model, checkForm } from "./model.js";
import {
  Names,
  type RunInfo,
  type Task,
  demandMissed,
  differenceOf,
  innerFingerprint,
  readName,
  readOptimizer,
} from "./run.js";
import { sameFingerprint } from "./message.js";
import { type StepFunction, TaskRunner } from "./worker.js";
import { type TaskMessage, WorkerBroker } from "./worker-broker.js";

/** Options of {@link join}. */
export interface JoinOptions {
  /** The run's name. */
  readonly run: string;
  /**
   * The parameters to train; or a `Network` or `MLP`, whose buffers are trained with them and whose dropout draws by the run's
   * seed. The parameters of a network count as the network.
   */
  readonly params: ParameterDict | Saveable;
  /** Buffers by name, such as a network's, if the run has others than those of `params`. */
  readonly buffers?: Readonly<Record<string, Vector>> | undefined;
  /** The optimizer of the parameters that `step` steps. It starts anew in each task. All workers of a run have the same. */
  readonly optimizer: AnyOptimizer;
  /** Makes a local step on the rows: fills the gradients, steps the optimizer, and returns the loss, or a promise of it. */
  readonly step: StepFunction;
  /** The worker's name in the run, unique: 1 to 64 letters, digits, _ and -. Default: a random one. */
  readonly name?: string | undefined;
  /** Stops the worker; the promise is then rejected with the signal's reason. */
  readonly signal?: Signal | undefined;
}

const OWNER = "join";
const optionNames = ["run", "params", "buffers", "optimizer", "step", "name", "signal"];
/** Milliseconds between two looks for a run that does not exist, and between attempts. */
const [LOOK, RETRY, STALE] = [500, 100, 2000];

/**
 * Works for a run until it ends: takes tasks, trains the parameters from the run's model on the rows of each, and sends the
 * difference. Waits for a run that does not exist yet. May be stopped or killed at any time; the run's result does not change.
 * When the run ends, the parameters are its last model, rounded to bfloat16.
 *
 * What `step` does must depend only on its argument, the parameters and the data: then every worker computes the same bits.
 *
 * @param nc A connection to NATS, of `@nats-io/transport-node` or `wsconnect` of `@nats-io/nats-core`; it stays open.
 * @param options The run, the parameters, their optimizer and the step.
 * @returns The number of tasks that it has done, once the run has ended.
 * @throws TypeError, RangeError for a wrong argument, and when the run has other parameters or another optimizer; Error when
 * the connection is closed or lacks a permission; what `step` throws; the reason of `signal`.
 * @example
 * const optimizer = new SGD(mlp.params, { lr: 0.1 });
 * await join(nc, { run: "mnist", params: mlp.params, optimizer, step({ rows }) {
 *   const loss = mlp.trainBatch(...gather(rows));
 *   optimizer.step();
 *   return loss;
 * } });
 */
export async function join(nc: NatsConnection, options: JoinOptions): Promise<number> {
  const connection = checkConnection(OWNER, nc);
  optionsOf(OWNER, options, optionNames, { aliases: "name=worker,id step=train,trainstep" });
  const { step } = options;
  const run = readName(OWNER, "run", options.run);
  const model = Model.read(OWNER, options.params, options.buffers);
  const optimizer = readOptimizer(OWNER, options.optimizer, model.params);
  if (Object.values(optimizer.stateDict().state).some((each) => each.step > 0))
    throw wrongValue(OWNER, "optimizer", "an optimizer that has not stepped", options.optimizer);
  if (typeof step !== "function") throw wrongType(OWNER, "step", "a function", step);
  const name = options.name === undefined ? randomName() : readName(OWNER, "name", options.name);
  const signal = readSignal(OWNER, options.signal);

  const broker = new WorkerBroker(OWNER, connection, new Names(run), name);
  const worker = new Worker(run, broker, model, optimizer, step);
  const abort = (): void => worker.stop({ error: signal?.reason });
  signal?.addEventListener("abort", abort);
  try {
    return await worker.work();
  } finally {
    signal?.removeEventListener("abort", abort);
    broker.end();
  }
}

class Worker {
  readonly #waker = new Waker(realClock);
  #info: RunInfo | undefined;
  #runner: TaskRunner | undefined;
  #stop: { error?: unknown } | undefined;
  #done = 0;
  /** Tasks of the round that have been answered, which should be checked by others. */
  readonly #answered = new Set<string>();

  constructor(
    readonly run: string,
    readonly broker: WorkerBroker,
    readonly model: Model,
    readonly optimizer: AnyOptimizer,
    readonly step: StepFunction,
  ) {
    broker.connect({
      info: (info) => this.#take(info),
      reconnected: () => this.#waker.wake(),
      stop: (reason) => this.stop(reason),
    });
  }

  #take(info: RunInfo): void {
    const old = this.#info;
    if (old !== undefined && (info.term < old.term || JSON.stringify(info) === JSON.stringify(old))) return;
    this.#info = info;
    this.#waker.wake();
  }

  /** Asks what the run is: what was told while nobody listened. */
  async #refresh(): Promise<void> {
    const before = this.#info;
    const found = await this.broker.info();
    // What has been told meanwhile is newer.
    if (found !== undefined && this.#info === before) this.#take(found);
  }

  stop(reason: { error?: unknown }): void {
    this.#stop ??= reason;
    this.#waker.wake();
  }

  async work(): Promise<number> {
    try {
      for (;;) {
        this.#check();
        try {
          if (await this.#next()) return this.#done;
        } catch (error) {
          this.#check();
          if (error instanceof Fatal || error instanceof RangeError || error instanceof TypeError) throw error;
          await this.#waker.wait(RETRY);
        }
      }
    } finally {
      this.#runner?.reset();
    }
  }

  /** Throws if the worker is to stop. */
  #check(): void {
    if (this.#stop !== undefined) throw this.#stop.error;
  }

  /** Does the next task, if there is one; true when the run has ended. */
  async #next(): Promise<boolean> {
    const info = this.#info;
    if (info === undefined) {
      // A stream that does not exist does not answer; what a coordinator tells when it begins does.
      this.#refresh().catch((error: unknown) => {
        if (error instanceof Fatal) this.stop({ error });
      });
      await this.#waker.wait(LOOK);
      return false;
    }
    const runner = this.#runnerOf(info);
    if (info.state === "ended") {
      if (await this.#load(runner, undefined, info.model)) runner.write();
      return true;
    }
    const message = await this.broker.pull(this.#waker);
    this.#check();
    if (message === undefined) {
      await this.#refresh();
      return false;
    }
    try {
      await this.#do(runner, message);
    } catch (error) {
      message.leave();
      throw error;
    }
    return false;
  }

  /** What computes tasks of the run; throws unless the run has the same parameters and optimizer. */
  #runnerOf(info: RunInfo): TaskRunner {
    if (this.#runner?.info === info) return this.#runner;
    checkForm(OWNER, this.run, info.form, this.model);
    this.#runner?.reset();
    const runner = new TaskRunner(info, this.model, this.optimizer, this.step);
    const { demanded, inner } = info;
    const defaults = defaultsOf(this.optimizer);
    const wrong =
      (demanded && demandMissed(demanded, runner.text, defaults)) ??
      (inner === null ? undefined : differenceOf(inner, runner.text));
    if (wrong !== undefined) throw new RangeError(`${OWNER}: run ${JSON.stringify(this.run)} ${wrong}`);
    this.#runner = runner;
    return runner;
  }

  async #do(runner: TaskRunner, message: TaskMessage): Promise<void> {
    const { task } = message;
    const key = `${task.round} ${task.replica} ${task.model}`;
    const isInner = (): boolean =>
      sameFingerprint(task.inner, [0, 0]) || sameFingerprint(task.inner, innerFingerprint(runner.text));
    if (!sameFingerprint(task.run, runner.run) || !isInner()) {
      // Of another run, or the inner optimizer has been settled.
      await this.#refresh();
      message.leave();
      await this.#waker.wait(RETRY);
      return;
    }
    if (runner.isPast(task.round)) {
      message.done();
      return;
    }
    if ((task.check && this.#answered.has(key)) || task.not.includes(this.broker.name)) {
      message.leave();
      return;
    }
    if (!(await this.#load(runner, task, task.model))) {
      message.done();
      return;
    }
    const training = runner.train(task, () => {
      this.#check();
      message.working();
    });
    // An error of the user's is none of the network, whatever it is called.
    training.catch((error: unknown) => this.stop({ error }));
    const messages = await training;
    await this.#send(task, messages);
    message.done();
    this.#done++;
    if (this.#answered.size > 1000) this.#answered.clear();
    this.#answered.add(key);
  }

  /** Loads the model of a task, or of the run's end; false if the run is past it. */
  async #load(runner: TaskRunner, task: Task | undefined, model: number): Promise<boolean> {
    if (task !== undefined && runner.has(task.round, model)) return true;
    const until = performance.now() + STALE;
    do {
      this.#check();
      const body = await this.broker.model((message) => runner.read(message), model);
      if (body !== undefined && (task === undefined || body.round === task.round)) {
        if (runner.load(body.round, model, body.bytes)) return true;
      } else if (task !== undefined && body !== undefined && body.round > task.round) return false;
      // A task may come before the model that it starts from.
      await this.#waker.wait(5);
    } while (performance.now() < until);
    return false;
  }

  /** Sends an update until the server has stored it. */
  async #send(task: Task, messages: readonly Uint8Array[]): Promise<void> {
    for (;;) {
      this.#check();
      try {
        await this.broker.send(task, messages);
        return;
      } catch (error) {
        if (error instanceof Fatal) throw error;
        await this.#waker.wait(RETRY);
      }
    }
  }
}

const randomName = (): string =>
  `w${Array.from({ length: 10 }, () => Math.floor(Math.random() * 36).toString(36)).join("")}`;

/** The defaults of the optimizer's rule in its dialect. */
function defaultsOf(optimizer: AnyOptimizer): object {
  const { rule, paramGroups } = optimizer as unknown as {
    rule?: { defaults?: Record<string, object> };
    paramGroups: readonly { dialect?: string }[];
  };
  return rule?.defaults?.[paramGroups[0].dialect ?? "torch"] ?? {};
}
