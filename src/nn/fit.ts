// The training loop of `Network.fit`.
import type { Random } from "../init/random.js";
import { flag, wholeFrom, wrongType, wrongValue } from "../util/check.js";
import { readKinds } from "../util/options.js";
import { otherTasks } from "../util/turns.js";
import type { BaseNetwork } from "./base-network.js";
import type { Floats, Indices, Inputs, Targets } from "./data.js";
import { type Data, type Evaluation, addLosses, readData } from "./passes.js";

/** What happened in an epoch. */
export interface EpochResult {
  /** Counts from 1. */
  epoch: number;
  /** The mean loss over the epoch's batches, each before its step. */
  loss: number;
  /** The accuracy over the epoch's batches, each before its step; NaN for losses without classes. */
  accuracy: number;
  /** Loss and accuracy on the validation data, after the epoch; without such data undefined. */
  validation: Evaluation | undefined;
}

/** Options of {@link Network.fit}. */
export interface FitOptions {
  /** An optimizer of the network's `params`, which steps after each batch. */
  optimizer: {
    /** Moves the parameters against the gradients. */
    step(): unknown;
  };
  /** How often to go through the data, a whole number >= 1. Default 1. */
  epochs?: number | undefined;
  /** Rows of a batch, a whole number in [1, the network's `batchSize`]. Default: the network's. The last batch may have fewer. */
  batchSize?: number | undefined;
  /** Whether to shuffle the rows in each epoch, or the generator to do it with. Default true: by the network's `seed`. */
  shuffle?: boolean | Random | undefined;
  /** Data to evaluate after each epoch, [x, y]; or the fraction of the rows, in (0, 1), that are taken from the end for it. */
  validation?: readonly [x: Inputs, y: Targets] | number | undefined;
  /** Called after each epoch, and waited for. If it returns false, training ends. */
  onEpoch?: ((result: EpochResult) => unknown) | undefined;
  /** An `AbortSignal`. Ends training after the batch during which it is aborted; the promise is then rejected with its reason. */
  signal?:
    | {
        /** Throws once the signal is aborted. */
        throwIfAborted(): void;
      }
    | undefined;
}

const optionNames = ["optimizer", "epochs", "batchSize", "shuffle", "validation", "onEpoch", "signal"];
/** Milliseconds of work after which other tasks get their turn. */
const SLICE = 30;

export async function fit(network: BaseNetwork, x: Inputs, y: Targets, options: FitOptions): Promise<EpochResult[]> {
  const { owner, engine, criterion, inputs } = network.built;
  network.params.check(owner);
  const { optimizer, epochs, batchSize, shuffle, onEpoch, signal, ...given } = readOptions(network, options);
  const data = readData(network, owner, x, y);
  const { training, validation } = split(network, data, given.validation);
  const order = Uint32Array.from({ length: training }, (_, i) => i);
  const batch = {
    x: sized(data.x, batchSize * inputs, network.built.input.hasTokens),
    y: sized(data.y, batchSize * criterion.targetsPerRow, criterion.hasClasses),
  };
  const tick = clock(network, signal);
  const history: EpochResult[] = [];
  await tick();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    if (shuffle) shuffle.shuffle(order);
    let loss = 0;
    let correct = 0;
    for (let first = 0; first < training; first += batchSize) {
      const rows = Math.min(batchSize, training - first);
      gather(data.x, inputs, order, first, rows, batch.x);
      gather(data.y, criterion.targetsPerRow, order, first, rows, batch.y);
      criterion.sum[0] = loss;
      addLosses(network, batch.x, batch.y, 0, rows);
      loss = criterion.sum[0];
      correct += criterion.correct(rows);
      engine.backward(false, false);
      optimizer.step();
      await tick();
    }
    const terms = criterion.terms(data.y, 0, training);
    const result = {
      epoch,
      loss: loss / terms,
      accuracy: correct / terms,
      validation: validation && (await evaluate(network, validation, tick)),
    };
    history.push(result);
    const goesOn = await onEpoch?.(result);
    if (goesOn === false) break;
    await tick();
  }
  return history;
}

/** Makes what gives other tasks their turn if it is time to, and throws if training must not go on. */
function clock({ params, built: { owner } }: BaseNetwork, signal: FitOptions["signal"]): () => Promise<void> {
  let last = Date.now();
  return async () => {
    signal?.throwIfAborted();
    if (Date.now() - last < SLICE) return;
    await otherTasks();
    last = Date.now();
    signal?.throwIfAborted();
    params.check(owner);
  };
}

/** As `Network.evaluate`, with pauses. */
async function evaluate(
  network: BaseNetwork,
  { x, y, first, end }: Rows,
  tick: () => Promise<void>,
): Promise<Evaluation> {
  const { criterion, rows: most } = network.built;
  let loss = 0;
  let correct = 0;
  for (let at = first; at < end; at += most) {
    const rows = Math.min(most, end - at);
    criterion.sum[0] = loss;
    addLosses(network, x, y, at, rows, false);
    loss = criterion.sum[0];
    correct += criterion.correct(rows);
    await tick();
  }
  const terms = criterion.terms(y, first, end - first);
  return { loss: loss / terms, accuracy: correct / terms };
}

/** The rows of data in [first, end). */
interface Rows extends Data {
  readonly first: number;
  readonly end: number;
}

/** The number of rows to train on, and the rows to evaluate. */
function split(network: BaseNetwork, data: Data, validation: FitOptions["validation"]) {
  const { owner } = network.built;
  const { rows } = data;
  if (rows < 1) throw wrongValue(owner, "x", "at least one row", data.x);
  if (validation === undefined) return { training: rows, validation };
  if (typeof validation === "number") {
    const training = Math.floor(rows * (1 - validation));
    if (!(validation > 0 && training > 0 && training < rows))
      throw wrongValue(owner, "validation", `a fraction in (0, 1) that leaves rows for both, of ${rows}`, validation);
    return { training, validation: { ...data, first: training, end: rows } };
  }
  const pair: unknown = validation;
  if (!Array.isArray(pair) || pair.length !== 2)
    throw wrongType(owner, "validation", "[x, y] or a fraction in (0, 1)", pair);
  const [x, y] = pair as unknown[];
  const other = readData(network, `${owner}: validation`, x, y);
  if (other.rows < 1) throw wrongValue(owner, "validation[0]", "at least one row", x);
  return { training: rows, validation: { ...other, first: 0, end: other.rows } };
}

/** An array for the numbers of a batch: class indices and tokens, or numbers of the same kind as those of `like`. */
function sized(like: Floats | Indices, length: number, whole: boolean): Floats | Int32Array {
  if (whole) return new Int32Array(length);
  return new (like.constructor as Float32ArrayConstructor)(length);
}

/** Copies rows of `size` numbers in the given order. */
function gather(
  from: Floats | Indices,
  size: number,
  order: Uint32Array,
  first: number,
  rows: number,
  to: Floats | Int32Array,
): void {
  for (let i = 0; i < rows; i++) {
    const at = order[first + i] * size;
    if (!(to instanceof Int32Array)) to.set((from as Floats).subarray(at, at + size), i * size);
    else for (let j = 0; j < size; j++) to[i * size + j] = Number(from[at + j]);
  }
}

function readOptions(network: BaseNetwork, options: FitOptions) {
  const { owner, batchSize: most, random } = network.built;
  const counts = { epochs: wholeFrom(1), batchSize: wholeFrom(1) };
  const read = readKinds(owner, options, counts, { epochs: 1, batchSize: most }, optionNames, {
    aliases: "validation=validationdata,validationsplit onEpoch=callbacks,callback,onepochend signal=abortsignal",
  });
  const { optimizer, shuffle = true, onEpoch, signal } = options;
  const expected = "an optimizer of the network's params, such as new AdamW(network.params)";
  if (typeof (optimizer as { step?: unknown } | undefined)?.step !== "function")
    throw wrongType(owner, "optimizer", expected, optimizer);
  if (!network.params.tensors(owner).some((tensor) => tensor.owner !== undefined))
    throw wrongValue(owner, "optimizer", expected, optimizer);
  if (onEpoch !== undefined && typeof onEpoch !== "function") throw wrongType(owner, "onEpoch", "a function", onEpoch);
  if (signal !== undefined && typeof (signal as { throwIfAborted?: unknown } | null)?.throwIfAborted !== "function")
    throw wrongType(owner, "signal", "an AbortSignal", signal);
  if (read.batchSize > most)
    throw wrongValue(owner, "batchSize", `at most the network's "batchSize", ${most}`, read.batchSize);
  const isRandom = typeof (shuffle as Partial<Random> | null)?.shuffle === "function";
  if (!isRandom) flag.read(owner, "shuffle", shuffle);
  return { ...options, ...read, shuffle: isRandom ? (shuffle as Random) : shuffle && random };
}
