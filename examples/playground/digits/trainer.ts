import type { StepOptimizer } from "gradstep";
import { load, save } from "gradstep/checkpoint";
import { type Network, Random } from "gradstep/nn";
import type { Threads } from "gradstep/threads";
import { models } from "../../mnist/models.ts";
import { makeOptimizer } from "../../mnist/rules.ts";
import { readSetup, setupText } from "./file.ts";
import { CONVOLUTIONS, type Setup, type Standing } from "./messages.ts";
import { type Digits, PIXELS, SIDE } from "./packing.ts";

const CLASSES = 10;
const FORM = { height: SIDE, width: SIDE, pixels: PIXELS, classes: CLASSES };
const BATCH = 64;
const SEED = 1;
const TEST_ROWS = 500;

/** A network, its optimizer, and the order in which it sees the images. */
export class Trainer {
  readonly setup: Setup;
  readonly #digits: Digits;
  readonly #network: Network;
  readonly #optimizer: StepOptimizer;
  readonly #x = new Float32Array(BATCH * PIXELS);
  readonly #y = new Uint8Array(BATCH);
  readonly #testX = new Float32Array(TEST_ROWS * PIXELS);
  readonly #testY = new Uint8Array(TEST_ROWS);
  #random = new Random(SEED + 1);
  #order: Uint32Array;
  /** Images of this epoch, and of all. */
  #seen = 0;
  #total = 0;

  /** With `threads`, large batches are divided among them; the bits are the same. */
  constructor(digits: Digits, setup: Setup, threads?: Threads) {
    this.setup = setup;
    this.#digits = digits;
    const options = { batchSize: BATCH, seed: SEED, ...(threads === undefined ? {} : { threads }) };
    this.#network =
      setup.hidden === CONVOLUTIONS ? models.cnn.make(FORM, [], options) : models.mlp.make(FORM, setup.hidden, options);
    this.#optimizer = makeOptimizer(setup.rule, this.#network.params, { lr: setup.lr, dialect: "torch" });
    this.#order = Uint32Array.from({ length: digits.count }, (_, i) => i);
  }

  /**
   * A trainer as a file has it. One of the page's goes on with the same bits; one of weights alone, such as PyTorch's
   * `state_dict()`, starts a run of `otherwise`'s rule with them.
   * @throws RangeError for a file that is damaged or is of no network for these images.
   */
  static from(file: Uint8Array, digits: Digits, otherwise: Setup, threads?: Threads): Trainer {
    const { setup, whole } = readSetup(file, otherwise, PIXELS, CLASSES);
    const trainer = new Trainer(digits, setup, threads);
    try {
      trainer.#load(file, whole);
    } catch (error) {
      trainer.dispose();
      throw error;
    }
    return trainer;
  }

  get standing(): Standing {
    return {
      setup: { ...this.setup, lr: this.#optimizer.paramGroups[0].lr },
      epochs: this.epochs,
      filters: this.filters,
    };
  }

  /** A copy of the weights of the first convolution, if there is one. */
  get filters(): Float32Array | undefined {
    return this.setup.hidden === CONVOLUTIONS ? this.#network.params.data["0.weight"].slice() : undefined;
  }

  /** Passes over the images so far. */
  get epochs(): number {
    return this.#total / this.#digits.count;
  }

  /** Whether the last batch ended an epoch. */
  get betweenEpochs(): boolean {
    return this.#seen === 0;
  }

  setRate(lr: number): void {
    this.#optimizer.paramGroups[0].lr = lr;
  }

  /** Trains on the next batch, the last of an epoch a shorter one; gives its size and its mean loss. */
  trainBatch(): { rows: number; loss: number } {
    const { count, labels } = this.#digits;
    if (this.#seen === 0) this.#random.shuffle(this.#order);
    const rows = Math.min(BATCH, count - this.#seen);
    for (let row = 0; row < rows; row++) {
      const image = this.#order[this.#seen + row];
      this.#digits.unpack(image, this.#x, row);
      this.#y[row] = labels[image];
    }
    const loss = this.#network.trainBatch(this.#x.subarray(0, rows * PIXELS), this.#y.subarray(0, rows));
    this.#optimizer.step();
    this.#seen = (this.#seen + rows) % count;
    this.#total += rows;
    return { rows, loss };
  }

  /** Accuracy on `count` images from all over a test set: of MNIST's, the first half is the harder one. */
  accuracyOn(test: Digits, count = test.count): number {
    let correct = 0;
    for (let first = 0; first < count; first += TEST_ROWS) {
      const rows = Math.min(TEST_ROWS, count - first);
      for (let row = 0; row < rows; row++) {
        const image = Math.floor(((first + row) * test.count) / count);
        test.unpack(image, this.#testX, row);
        this.#testY[row] = test.labels[image];
      }
      const x = this.#testX.subarray(0, rows * PIXELS);
      correct += this.#network.evaluate(x, this.#testY.subarray(0, rows)).accuracy * rows;
    }
    return correct / count;
  }

  /** The probability of each digit for one image. */
  predict(image: Float32Array): number[] {
    const logits = this.#network.predict(image);
    const most = Math.max(...logits);
    const powers = Array.from(logits, (logit) => Math.exp(logit - most));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  }

  /** All that is needed to go on with the same bits, as a safetensors file. */
  save(): Uint8Array {
    return save(this.#network.params, {
      optimizers: [this.#optimizer],
      extra: { run: { order: this.#order, random: this.#random.state(), seen: this.#seen, total: this.#total } },
      metadata: { playground: setupText(this.standing.setup) },
    });
  }

  dispose(): void {
    this.#optimizer.dispose();
    this.#network.dispose();
  }

  #load(file: Uint8Array, whole: boolean): void {
    const { extra } = load(file, this.#network.params, whole ? { optimizers: [this.#optimizer] } : {});
    if (!whole) return;
    const { order, random, seen, total } = extra.run as {
      order: Uint32Array;
      random: number[];
      seen: number;
      total: number;
    };
    if (order.length !== this.#digits.count)
      throw new RangeError(`load: "order" expected ${this.#digits.count} images, got ${order.length}`);
    this.#order = order;
    this.#random = Random.from(random);
    this.#seen = seen;
    this.#total = total;
  }
}
