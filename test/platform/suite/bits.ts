// What must have the same bits on every engine: each part trains something for long and returns the hash of what came.
import * as exact from "../../../src/util/exact.js";
import {
  Adam,
  LBFGS,
  Lookahead,
  type Optimizer,
  ParameterDict,
  SAM,
  SGD,
  WeightAverage,
  WeightEma,
  centralizeGradients,
  clipGradAdaptive,
  clipGradNorm,
  gradNorm,
} from "../../../src/index.js";
import { MLP, type MLPOptions } from "../../../src/nn/index.js";
import { distributedBits } from "./distributed-bits.js";
import { networkBits } from "./network-bits.js";
import {
  CosineAnnealingLR,
  CyclicLR,
  ExponentialLR,
  OneCycleLR,
  PolynomialLR,
  SequentialLR,
} from "../../../src/schedule/index.js";
import { random, shapesOf } from "../../support/harness.js";
import { type Row, make, rows } from "../../rules/table.js";
import {
  type AnySchedule,
  STEPS,
  inForce,
  metrics,
  rows as schedules,
  stepOf,
  twoGroups,
} from "../../schedule/table.js";
import { Hash } from "./hash.js";

const LONG = 1000;
const SIZES = { a: 60, b: 35, c: 1 };
const noise = Float32Array.from({ length: 4099 }, random(20)).map((x) => x - 0.5);

/** Values and gradients that integers and basic operations alone made: a pull towards targets, and noise. */
class Task {
  readonly params: ParameterDict;
  #at = 0;

  constructor(shapes: Readonly<Record<string, readonly number[]>>) {
    this.params = new ParameterDict(shapes);
    for (const name of this.params.names) this.#fill(this.params.data[name]);
  }

  #fill(target: Float32Array): void {
    for (let i = 0; i < target.length; i++) target[i] = noise[this.#at++ % noise.length];
  }

  gradients(): void {
    for (const name of this.params.names) {
      const [x, g] = [this.params.data[name], this.params.grad[name]];
      this.#fill(g);
      for (let i = 0; i < g.length; i++) g[i] += 0.3 * (x[i] - noise[i]);
    }
  }
}

function addState(hash: Hash, optimizer: Pick<Optimizer, "state">, params: ParameterDict): void {
  for (const name of params.names) {
    hash.numbers(params.data[name]);
    for (const value of Object.values(optimizer.state(name)))
      if (typeof value === "number") hash.number(value);
      else hash.numbers(value);
  }
}

function ruleBits(row: Row, cautious = false): string {
  const hash = new Hash();
  for (const variant of row.variants.filter((options) => (options.cautious === true) === cautious)) {
    const task = new Task(shapesOf(row, SIZES));
    const optimizer = make(row.rule, task.params, { ...variant, weightDecay: 0.01 });
    for (let t = 1; t <= LONG; t++) {
      task.gradients();
      optimizer.step(t % 7 === 0 ? { gradScale: 0.3 } : {});
      if (t % 100 === 0) addState(hash, optimizer, task.params);
    }
  }
  return hash.hex();
}

function lbfgsBits(): string {
  const hash = new Hash();
  for (const lineSearch of [undefined, "strong-wolfe"] as const) {
    const task = new Task({ a: [10], b: [3, 3] });
    const optimizer = new LBFGS(task.params, { lr: lineSearch ? 1 : 0.1, maxIter: 4, lineSearch });
    const closure = (): number => {
      let loss = 0;
      for (const name of task.params.names) {
        const [x, g] = [task.params.data[name], task.params.grad[name]];
        for (let i = 0; i < x.length; i++) {
          const d = x[i] - noise[lineSearch ? (i + t) % 97 : i]; // a fixed step wants a fixed aim
          loss += (i + 1) * d * d + d * d * d * d;
          g[i] = 2 * (i + 1) * d + 4 * d * d * d;
        }
      }
      return loss;
    };
    let t = 0;
    for (; t < LONG; t++) {
      hash.number(optimizer.step(closure));
      if (t % 100 === 0) addState(hash, optimizer, task.params);
    }
  }
  return hash.hex();
}

function mlpBits(): string {
  const hash = new Hash();
  const x = noise.slice(0, 24 * 20);
  const labels = Uint8Array.from({ length: 24 }, (_, i) => (i * 7) % 5);
  for (const activation of ["relu", "tanh", "sigmoid", "gelu"] as const)
    for (const loss of ["cross-entropy", "mse"] as const)
      for (const init of ["torch", "glorot", "he"] as const) {
        const options: MLPOptions = { activation, loss, init, batchSize: 24 };
        const mlp = new MLP([20, 17, 9, 5], options);
        const optimizer = new Adam(mlp.params, { lr: 0.01 });
        const y = loss === "mse" ? noise.slice(900, 900 + 24 * 5) : labels;
        for (let t = 0; t < 40; t++) {
          hash.number(mlp.trainBatch(x, y));
          optimizer.step();
        }
        addState(hash, optimizer, mlp.params);
        hash.numbers(mlp.predict(x)).number(mlp.evaluate(x, y).loss);
        optimizer.dispose();
        mlp.dispose();
      }
  return hash.hex();
}

function scheduleBits(): string {
  const hash = new Hash();
  const add = (schedule: AnySchedule, optimizer: SGD, steps: number): void => {
    for (let t = 0; t < steps; t++) {
      stepOf(schedule, metrics[t % STEPS]);
      for (const rate of inForce(optimizer)) hash.number(rate);
    }
  };
  for (const { make } of schedules) {
    const optimizer = twoGroups();
    add(make(optimizer), optimizer, STEPS - 1);
  }
  const long: ((o: Optimizer) => AnySchedule)[] = [
    (o) => new CosineAnnealingLR(o, { tMax: LONG, etaMin: 1e-5 }),
    (o) => new OneCycleLR(o, { maxLr: 0.7, totalSteps: LONG + 1 }),
    (o) => new PolynomialLR(o, { totalIters: LONG, power: 0.9 }),
    (o) => new CyclicLR(o, { baseLr: 0.01, maxLr: 1, stepSizeUp: 37, mode: "exp_range", gamma: 0.9993 }),
    (o) => {
      const schedulers = [new ExponentialLR(o, { gamma: 0.9995 }), new CosineAnnealingLR(o, { tMax: 333 })];
      return new SequentialLR(o, { schedulers, milestones: [300] });
    },
  ];
  for (const make of long) {
    const optimizer = twoGroups();
    add(make(optimizer), optimizer, LONG);
  }
  return hash.hex();
}

function exactBits(): string {
  const hash = new Hash();
  for (const x of noise) {
    for (const scale of [1, 30, 1400]) hash.number(exact.exp(x * scale));
    for (const scale of [1, 1e-300, 1e300]) hash.number(exact.log((x + 0.5 || 1) * scale));
    for (const scale of [1, 7, 1e5]) hash.number(exact.sin(x * scale)).number(exact.cos(x * scale));
    hash.number(exact.pow(x + 0.75, x * 100)).number(exact.pow(0.999, x * 1e4));
    hash.number(exact.wholePower(0.999 + x * 1e-3, Math.floor((x + 0.5) * 1e6)));
  }
  return hash.hex();
}

function averageBits(): string {
  const hash = new Hash();
  const task = new Task({ a: [7, 9], b: [33] });
  const sgd = new SGD(task.params, { lr: 0.05, momentum: 0.9 });
  const optimizer = new Lookahead(sgd, { k: 5 });
  const averages = [new WeightEma(task.params, { decay: 0.99 }), new WeightAverage(task.params)];
  for (let t = 0; t < LONG; t++) {
    task.gradients();
    for (const normType of [1, 2, Infinity] as const) hash.number(gradNorm(task.params, { normType }));
    hash.number(clipGradNorm(task.params, 2));
    clipGradAdaptive(task.params, 0.3);
    optimizer.step();
    for (const average of averages) average.update();
  }
  addState(hash, sgd, task.params);
  for (const { values } of averages) for (const name of task.params.names) hash.numbers(values[name]);
  return hash.hex();
}

function cautiousBits(): string {
  const hash = new Hash();
  for (const row of rows) hash.text(ruleBits(row, true));
  return hash.hex();
}

function samBits(): string {
  const hash = new Hash();
  for (const adaptive of [false, true]) {
    const task = new Task({ a: [7, 9], b: [33] });
    const sgd = new SGD(task.params, { lr: 0.05, momentum: 0.9 });
    const sam = new SAM(sgd, { rho: adaptive ? 1 : 0.1, adaptive });
    const closure = (): number => {
      task.gradients();
      centralizeGradients(task.params);
      return 0;
    };
    for (let t = 0; t < LONG; t++) sam.step(closure);
    addState(hash, sgd, task.params);
  }
  return hash.hex();
}

/** Name of each part, and what makes its hash. */
export const parts: readonly (readonly [name: string, bits: () => string])[] = [
  ...rows.map((row) => [row.rule, () => ruleBits(row)] as const),
  ["LBFGS", lbfgsBits],
  ["MLP", mlpBits],
  ["networks", () => networkBits(noise)],
  ["distributed", () => distributedBits(noise)],
  ["schedules", scheduleBits],
  ["exact", exactBits],
  ["averages", averageBits],
  ["cautious", cautiousBits],
  ["SAM", samBits],
];
