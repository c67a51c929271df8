// Runs that can be cut anywhere: made the same way in the test's process and in a fresh one.
import type { AnyOptimizer } from "../../src/checkpoint/index.js";
import {
  Adam,
  AdamW,
  Arena,
  LBFGS,
  Lookahead,
  Muon,
  NAdam,
  ParameterDict,
  WeightAverage,
  WeightEma,
} from "../../src/index.js";
import { fillGradient, random } from "../support/harness.js";
import { type Options, type Row, make, rows } from "../rules/table.js";

/** What is saved beside optimizers. */
interface Stateful {
  stateDict(): unknown;
  loadStateDict(saved: never): void;
}

export interface Run {
  readonly params: ParameterDict;
  readonly optimizers: readonly AnyOptimizer[];
  readonly extra: Readonly<Record<string, Stateful>>;
  /** Step t, from 1. */
  readonly step: (t: number) => void;
}

/** The step after which runs are cut, and the last. */
export const CUT = 20;
export const END = 40;
/** Before this step the runs with a late group get it. */
export const GROWN = 11;

export interface Scenario {
  readonly title: string;
  /** A run before step 1, or, when it goes on, as it must be for a load. */
  readonly begin: (goesOn: boolean) => Run;
}

const shapes = { w: [6, 5], b: [7], s: [], v: [33], m: [4, 4] };
const matrices = { w: [6, 5], m: [4, 4], t: [3, 9] };

function fresh(sizes: Readonly<Record<string, readonly number[]>>, arena?: Arena): ParameterDict {
  const params: ParameterDict = new ParameterDict(sizes, { arena });
  const next = random(5);
  for (const name of params.names) fillGradient(params.data[name], next);
  return params;
}

function gradients(params: ParameterDict, t: number): void {
  const next = random(1000 + t);
  for (const name of params.names) fillGradient(params.grad[name], next);
}

/** Groups, a tensor that is skipped at some steps, rates that change, and an evaluation at the cut. */
function single({ rule, together }: Row, options: Options): Scenario {
  return {
    title: `${rule} ${JSON.stringify(options)}`,
    begin() {
      const params = fresh(rule === "Muon" ? matrices : shapes);
      const own = together ? { weightDecay: 0.1 } : { lr: 0.003 };
      const optimizer = make(rule, params, { ...options, groups: [{ params: ["m"], ...own }] });
      const step = (t: number): void => {
        const changed = t === 8 || t === 30 ? optimizer.paramGroups.slice(0, together ? 2 : 1) : [];
        for (const group of changed) group.lr = group.lr * 0.7;
        gradients(params, t);
        optimizer.train();
        optimizer.step({ skip: t % 3 === 0 ? ["w"] : [], gradScale: 0.5 });
        if (t === CUT) optimizer.eval();
      };
      return { params, optimizers: [optimizer], extra: {}, step };
    },
  };
}

const special: Scenario[] = [
  {
    title: "a group added on the way",
    begin(goesOn) {
      const arena = new Arena({ capacity: 2 ** 18 });
      const [params, head] = [fresh(shapes, arena), fresh({ head: [9] }, arena)];
      const optimizer = new NAdam(params);
      const grow = (): void => optimizer.addParamGroup({ params: head, lr: 0.01, betas: [0.8, 0.9] });
      if (goesOn) grow();
      const step = (t: number): void => {
        if (t === GROWN) grow();
        for (const dict of [params, head]) gradients(dict, t);
        optimizer.step();
      };
      return { params, optimizers: [optimizer], extra: {}, step };
    },
  },
  {
    title: "two optimizers on subsets, one of them stepping now and then",
    begin() {
      const params = fresh(shapes);
      const [matrix, rest] = [
        ["w", "m"],
        ["b", "s", "v"],
      ].map((names) => params.subset(names));
      const first = new Muon(matrix);
      const second = new AdamW(rest, { amsgrad: true });
      const step = (t: number): void => {
        gradients(params, t);
        first.step();
        if (t % 4 !== 0) second.step();
      };
      return { params, optimizers: [first, second], extra: {}, step };
    },
  },
  {
    title: "averages and Lookahead",
    begin() {
      const params = fresh(shapes);
      const optimizer = new Adam(params, { lr: 0.01 });
      const lookahead = new Lookahead(optimizer, { k: 6 });
      const [ema, swa] = [new WeightEma(params, { decay: 0.9 }), new WeightAverage(params)];
      const step = (t: number): void => {
        gradients(params, t);
        lookahead.step();
        ema.update();
        if (t % 5 === 0) swa.update();
      };
      return { params, optimizers: [optimizer], extra: { lookahead, ema, swa }, step };
    },
  },
  ...([null, "strong-wolfe"] as const).map((lineSearch) => ({
    title: `LBFGS ${lineSearch}`,
    begin(): Run {
      const params = fresh(shapes);
      const optimizer = new LBFGS(params, { lr: 0.05, historySize: 5, maxIter: 2, lineSearch });
      const closure = (): number => {
        let loss = 0;
        params.names.forEach((name, n) => {
          const [x, g] = [params.data[name], params.grad[name]];
          for (let i = 0; i < x.length; i++) {
            const [a, b] = [x[i] - 0.1 * n, (x[(i + 1) % x.length] - x[i]) * (1 + (i % 7))];
            loss += a ** 4 + 0.5 * a * a + 0.5 * b * b;
            g[i] = 4 * a ** 3 + a - b * (1 + (i % 7));
          }
          for (let i = 0; i < x.length; i++) {
            const next = (i + 1) % x.length;
            g[next] += (x[next] - x[i]) * (1 + (i % 7)) ** 2;
          }
        });
        return loss;
      };
      return { params, optimizers: [optimizer], extra: {}, step: () => void optimizer.step(closure) };
    },
  })),
];

export const scenarios: readonly Scenario[] = [
  ...rows.flatMap((row) => row.variants.map((options) => single(row, { ...options, weightDecay: 0.01 }))),
  ...special,
];
