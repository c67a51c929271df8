// coordinate(): conducts a run over NATS and saves it.
import type { NatsConnection } from "@nats-io/nats-core";
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Saveable } from "../memory/saved.js";
import type { Vector } from "../memory/tensor.js";
import { type Signal, readSignal } from "../util/signal.js";
import { fraction, knownOnly, optionsOf, record, wholeFrom, wrongType, wrongValue } from "../util/check.js";
import { NatsBroker } from "./broker.js";
import { realClock } from "./clock.js";
import { Coordinator } from "./coordinator.js";
import type { Progress } from "./interfaces.js";
import { checkConnection } from "./link.js";
import { Model } from "./model.js";
import { type InnerOptimizer, Names, readName, readOptimizer, readSettings, textOfOptimizer } from "./run.js";
import { makeStore } from "./store.js";

/** Options of {@link coordinate}. All that decide on the result must be the same when a run is continued. */
export interface CoordinateOptions {
  /** The run's name: 1 to 64 letters, digits, _ and -. */
  readonly run: string;
  /**
   * The parameters, with the values that the run starts from; or a `Network` or `MLP`, with its buffers. The parameters of a
   * network count as the network. They must not be changed while the run goes on.
   */
  readonly params: ParameterDict | Saveable;
  /** Buffers by name that are averaged over the replicas in each round. Default: those of the network. */
  readonly buffers?: Readonly<Record<string, Vector>> | undefined;
  /** The outer optimizer, of `params`: steps once a round, by the mean of the replicas' updates. Any rule but `LBFGS`. */
  readonly optimizer: AnyOptimizer;
  /** Tasks of a round, a whole number in [1, 65535]: how many workers can be busy at a time. */
  readonly replicas: number;
  /** Local steps of a task, a whole number >= 1. */
  readonly localSteps: number;
  /** Rows of a local step, a whole number >= 1. */
  readonly batchSize: number;
  /** Rows of the data, a whole number in [1, 2³²]. Rows are drawn without replacement, in another order in each epoch. */
  readonly samples: number;
  /** When the run ends: a whole number >= 1. May differ when a run is continued. */
  readonly rounds: number;
  /** Draws the rows, and the seeds of local steps; a whole number >= 0. Default 0. */
  readonly seed?: number | undefined;
  /**
   * The file to save to and to continue from, in Node, Bun and Deno: a checkpoint of `gradstep/checkpoint`. Default: none, and
   * a coordinator that is started again starts the run again. It is written once or twice a second, and at the end.
   */
  readonly checkpoint?: string | undefined;
  /** What the workers' optimizer must be. Default: what that of the first worker is that finishes a task. */
  readonly inner?: InnerOptimizer | undefined;
  /**
   * The share of tasks that two workers do, to find workers that lie: a number in [0, 1]. Where their answers differ, a third
   * decides, and the updates of the one that lied are refused from then on. Default 0.
   */
  readonly verify?: number | undefined;
  /** Ends the run after saving it; the iteration then throws the signal's reason. */
  readonly signal?: Signal | undefined;
}

/** A run that is being coordinated. Iterate over it to conduct it, once. */
export interface Run extends AsyncIterable<Progress, void, undefined> {
  /** Iterates over the rounds. */
  [Symbol.asyncIterator](): AsyncGenerator<Progress, void, undefined>;
  /**
   * Ends the run after saving it, and the iteration with it. Workers go on waiting for another coordinator.
   * @example
   * process.once("SIGTERM", () => run.close());
   */
  close(): void;
}

const OWNER = "coordinate";
const optionNames = [
  "run",
  "params",
  "buffers",
  "optimizer",
  "replicas",
  "localSteps",
  "batchSize",
  "samples",
  "rounds",
].concat(["seed", "checkpoint", "inner", "verify", "signal"]);

/**
 * Coordinates a run: gives tasks to the workers that {@link join} it, and steps the parameters by the mean of their updates.
 * The result depends on the options and the parameters alone: not on the number of workers, nor on what fails or is killed,
 * this coordinator included. A coordinator that is started later takes over; the older one throws an error.
 *
 * A round has `replicas` tasks. In each, a worker makes `localSteps` local steps of its own optimizer from the run's model;
 * the mean difference is the gradient of the outer optimizer (Douillard et al., DiLoCo, 2023).
 *
 * @param nc A connection to a NATS server with JetStream, of `@nats-io/transport-node` or `wsconnect` of
 * `@nats-io/nats-core`; it stays open.
 * @param options The run.
 * @returns An iterable over the rounds. After each, the parameters are those of that round, until the next is asked for, and
 * workers are already busy with the next. A run that has ended before yields its last state once.
 * @throws TypeError, RangeError for a wrong argument. The iteration throws RangeError for a checkpoint of other settings, Error
 * for a lost connection, a missing permission, another coordinator, or training that diverges.
 * @example
 * const optimizer = new SGD(mlp.params, { lr: 0.7, momentum: 0.9, nesterov: true });
 * const run = coordinate(nc, { run: "mnist", params: mlp.params, optimizer, replicas: 4, localSteps: 50,
 *   batchSize: 64, samples: 60_000, rounds: 200, seed: 1, checkpoint: "run.safetensors" });
 * for await (const { round, loss } of run) console.log(round, loss);
 */
export function coordinate(nc: NatsConnection, options: CoordinateOptions): Run {
  const connection = checkConnection(OWNER, nc);
  const given = optionsOf(OWNER, options, optionNames, {
    aliases:
      "replicas=workers,shards localSteps=innersteps,h,steps rounds=outersteps optimizer=outer,outeroptimizer inner=inneroptimizer",
  });
  const { checkpoint } = options;
  const run = readName(OWNER, "run", options.run);
  const model = Model.read(OWNER, options.params, options.buffers);
  const optimizer = readOptimizer(OWNER, options.optimizer, model.params);
  if (optimizer.stateDict().rule === "LBFGS")
    throw wrongValue(OWNER, "optimizer", "a rule whose step() takes no closure", optimizer);
  const settings = readSettings(OWNER, given);
  const rounds = wholeFrom(1).read(OWNER, "rounds", options.rounds);
  const verify = options.verify === undefined ? 0 : fraction.read(OWNER, "verify", options.verify);
  if (checkpoint !== undefined && typeof checkpoint !== "string")
    throw wrongType(OWNER, "checkpoint", "a file's path", checkpoint);
  const inner = options.inner === undefined ? null : readInner(options.inner);
  const signal = readSignal(OWNER, options.signal);

  const broker = new NatsBroker(OWNER, connection, new Names(run));
  const store = makeStore(OWNER, checkpoint, model, optimizer, {
    ...settings,
    form: model.form,
    outer: textOfOptimizer(optimizer),
  });
  const coordinator = new Coordinator(
    { run, model, optimizer: optimizer as never, settings, rounds, inner, verify, draw: Math.random },
    broker,
    realClock,
    store,
  );
  const abort = (): void => coordinator.stop({ error: signal?.reason });
  const isAborted = (): boolean => signal?.aborted === true;
  const uses = { count: 0 };
  async function* conducted(): AsyncGenerator<Progress, void, undefined> {
    if (uses.count++ > 0) throw new Error(`${OWNER}: a run is iterated over once`);
    broker.connect(coordinator);
    signal?.addEventListener("abort", abort);
    if (isAborted()) abort();
    try {
      yield* coordinator.rounds();
    } finally {
      signal?.removeEventListener("abort", abort);
      broker.end();
    }
  }
  return { [Symbol.asyncIterator]: conducted, close: () => coordinator.stop() };
}

function readInner(value: unknown): InnerOptimizer {
  const expected = `an object, such as { rule: "SGD", options: { lr: 0.1 } }`;
  const { rule, options = {} } = record(OWNER, "inner", value, expected);
  knownOnly(OWNER, "inner.", value as object, ["rule", "options"]);
  if (typeof rule !== "string") throw wrongType(OWNER, "inner.rule", `the name of a rule, such as "SGD"`, rule);
  return { rule, options: record(OWNER, "inner.options", options) };
}
