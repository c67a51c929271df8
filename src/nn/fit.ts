// The training loop of `Network.fit`.
import type { Random } from "../init/random.js";
import { type Kind, flag, wholeFrom, wrongType, wrongValue } from "../util/check.js";
import { readKinds } from "../util/options.js";
import { otherTasks } from "../util/turns.js";
import type { BaseNetwork } from "./base-network.js";
import type { Floats, Indices, Inputs, Targets } from "./data.js";
import { type Data, type Evaluation, addLosses, meansOf, readData } from "./passes.js";

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

/** Milliseconds of work after which other tasks get their turn. */
const SLICE = 30;

export async function fit(network: BaseNetwork, x: Inputs, y: Targets, options: FitOptions): Promise<EpochResult[]> {
  const { owner, batchSize: most, rows, random } = network.built;
  const defaults = { epochs: 1, batchSize: most, shuffle: true } as Settings;
  const read = readKinds<Settings>(owner, options, kinds, defaults, [], {
    aliases: "validation=validationdata,validationsplit onEpoch=callbacks,callback,onepochend signal=abortsignal",
  });
  const { optimizer, epochs, batchSize, shuffle, validation, onEpoch, signal } = read;
  if (!optimizer || !network.params.tensors(owner).some((tensor) => tensor.owner !== undefined))
    throw (optimizer ? wrongValue : wrongType)(owner, "optimizer", OPTIMIZER, optimizer);
  if (batchSize > most) throw wrongValue(owner, "batchSize", `at most the network's "batchSize", ${most}`, batchSize);
  const [data, tested] = split(network, readData(network, owner, x, y), validation);
  const tick = clock(network, signal);
  const history: EpochResult[] = [];
  await tick();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    if (shuffle) (shuffle === true ? random : shuffle).shuffle(data.order);
    const result = {
      epoch,
      ...(await pass(network, data, batchSize, tick, optimizer)),
      validation: tested && (await pass(network, tested, rows, tick)),
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
    if (Date.now() - last >= SLICE) {
      await otherTasks();
      last = Date.now();
    }
    signal?.throwIfAborted();
    params.check(owner);
  };
}

/** Goes through rows in an order, `size` of them at a time. The optimizer, if there is one, steps after each batch. */
async function pass(
  network: BaseNetwork,
  { x, y, order }: Data,
  size: number,
  tick: () => Promise<void>,
  optimizer?: FitOptions["optimizer"],
): Promise<Evaluation> {
  const { engine, criterion, input, inputs } = network.built;
  const { targetsPerRow } = criterion;
  const batchX = sized(x, size * inputs, input.hasTokens);
  const batchY = sized(y, size * targetsPerRow, criterion.hasClasses);
  const sums = new Float64Array(3);
  for (let first = 0; first < order.length; first += size) {
    const rows = order.subarray(first, first + size);
    gather(x, inputs, rows, batchX);
    gather(y, targetsPerRow, rows, batchY);
    addLosses(network, batchX, batchY, 0, rows.length, sums, optimizer ? undefined : false);
    sums[2] += criterion.correct(rows.length);
    if (optimizer) {
      engine.backward(false, false);
      optimizer.step();
    }
    await tick();
  }
  return meansOf(sums);
}

/** The data to train on, and those to evaluate. */
function split(network: BaseNetwork, data: Data, validation: FitOptions["validation"]): [Data, Data?] {
  const { owner } = network.built;
  if (validation === undefined) return [data];
  if (typeof validation !== "number")
    return [data, readData(network, `${owner}: validation`, validation[0], validation[1])];
  const { order } = data;
  const first = Math.floor(order.length * (1 - validation));
  if (!(first > 0 && first < order.length)) {
    const expected = `a fraction in (0, 1) that leaves rows for both, of ${order.length}`;
    throw wrongValue(owner, "validation", expected, validation);
  }
  return [
    { ...data, order: order.subarray(0, first) },
    { ...data, order: order.subarray(first) },
  ];
}

/** An array for the numbers of a batch: class indices and tokens, or numbers of the same kind as those of `like`. */
function sized(like: Floats | Indices, length: number, whole: boolean): Floats | Int32Array {
  if (whole) return new Int32Array(length);
  return new (like.constructor as Float32ArrayConstructor)(length);
}

/** Copies these rows of `size` numbers. */
function gather(from: Floats | Indices, size: number, rows: Uint32Array, to: Floats | Int32Array): void {
  rows.forEach((row, i) => {
    const at = row * size;
    if (!(to instanceof Int32Array)) to.set((from as Floats).subarray(at, at + size), i * size);
    else for (let j = 0; j < size; j++) to[i * size + j] = Number(from[at + j]);
  });
}

const has = (value: unknown, method: string): boolean =>
  typeof (Object(value) as Record<string, unknown>)[method] === "function";

/** Accepts what has a method of this name. */
const having = <T>(method: string, expected: string): Kind<T> => ({
  read(owner, name, value) {
    if (!has(value, method)) throw wrongType(owner, name, expected, value);
    return value as T;
  },
});

const OPTIMIZER = "an optimizer of the network's params, such as new AdamW(network.params)";
const kinds = {
  optimizer: having<FitOptions["optimizer"] | undefined>("step", OPTIMIZER),
  epochs: wholeFrom(1),
  batchSize: wholeFrom(1),
  shuffle: {
    read: (owner, name, value) => (has(value, "shuffle") ? (value as Random) : flag.read(owner, name, value)),
  } satisfies Kind<boolean | Random>,
  validation: {
    read(owner, name, value) {
      if (typeof value === "number" || (Array.isArray(value) && value.length === 2)) return value as Validation;
      throw wrongType(owner, name, "[x, y] or a fraction in (0, 1)", value);
    },
  } satisfies Kind<Validation>,
  onEpoch: having<FitOptions["onEpoch"]>("call", "a function"),
  signal: having<FitOptions["signal"]>("throwIfAborted", "an AbortSignal"),
};
type Validation = FitOptions["validation"];
type Settings = { readonly [Key in keyof typeof kinds]: ReturnType<(typeof kinds)[Key]["read"]> };
