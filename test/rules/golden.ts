// Checks golden vectors without a test framework or a file system, so that any runtime can.
import * as gradstep from "../../src/index.js";
import { ParameterDict } from "../../src/index.js";
import { type Options, make } from "./table.js";

type Named<T> = Record<string, T>;
export interface Case {
  name: string;
  rule: string;
  options: Options;
  tensors: string[];
  groups?: Options[];
  absent?: boolean;
  changes?: Named<Options>;
  gradients?: "absolute";
  step?: { gradScale: number };
  before?: Named<unknown[]>;
  average?: Named<Options>;
  lookahead?: Options;
  /** Wraps the optimizer in SAM; the gradient of the second step is a part of the first's plus a part of the climbed θ. */
  sam?: Options;
  second?: { gradient: number; climbed: number };
  expected: Named<Named<number[]>>;
  bound: Named<Named<number>>;
}
interface Inputs {
  shapes: Named<number[]>;
  initial: Named<number[]>;
  gradients: Named<number[]>[];
  absent: Partial<Named<string[]>>;
}
export interface Golden {
  cases: Case[];
  checkpoints: number[];
  inputs: Inputs;
}

/** Parses the texts of cases.json, or more-cases.json, and inputs.json. */
export function parseGolden(cases: string, inputs: string): Golden {
  return { ...(JSON.parse(cases) as Omit<Golden, "inputs">), inputs: JSON.parse(inputs) as Inputs };
}

const surface = gradstep as unknown as Named<unknown>;
type Constructor = new (target: unknown, options: Options) => unknown;
interface Average {
  update(): void;
  apply(): void;
  restore(): void;
}

/** Infinity is "inf" in the fixtures, since JSON has none. */
const reviveNorm = (x: unknown): unknown =>
  typeof x === "object" && x !== null && "normType" in x && x.normType === "inf" ? { ...x, normType: Infinity } : x;

/** Runs a case; throws at the first number outside its error bound. */
export function checkCase(c: Case, { checkpoints, inputs }: Golden): void {
  const params = ParameterDict.from(
    Object.fromEntries(c.tensors.map((n) => [n, { shape: inputs.shapes[n], data: inputs.initial[n].flat(9) }])),
  );
  const optimizer = make(c.rule, params, { ...c.options, ...(c.groups ? { groups: c.groups } : {}) });
  const wrap = (name: string, target: unknown, options: Options) => new (surface[name] as Constructor)(target, options);
  const stepper = c.lookahead ? (wrap("Lookahead", optimizer, c.lookahead) as typeof optimizer) : optimizer;
  const sam = c.sam && new gradstep.SAM(optimizer, c.sam);
  const averages = Object.entries(c.average ?? {}).map(([name, options]) => wrap(name, params, options) as Average);

  for (let t = 1; t <= Math.max(...checkpoints); t++) {
    for (const n of c.tensors) {
      const gradient = inputs.gradients[t - 1][n].flat(9);
      params.grad[n].set(c.gradients === "absolute" ? gradient.map(Math.abs) : gradient);
    }
    for (const group of optimizer.paramGroups) Object.assign(group, c.changes?.[t]);
    for (const [name, args] of Object.entries(c.before ?? {}))
      (surface[name] as (params: ParameterDict, ...args: unknown[]) => void)(params, ...args.map(reviveNorm));
    const skip = c.absent ? (inputs.absent[t] ?? []) : [];
    if (sam && c.second) {
      sam.firstStep({ skip });
      const [own, climbed] = [c.second.gradient, c.second.climbed].map(Math.fround);
      for (const n of c.tensors.filter((name) => !skip.includes(name)))
        params.grad[n].forEach(
          (g, i, grad) => (grad[i] = Math.fround(own * g) + Math.fround(climbed * params.data[n][i])),
        );
      sam.secondStep();
    } else stepper.step({ skip, ...c.step });
    for (const average of averages) average.update();
    if (!checkpoints.includes(t)) continue;

    const compare = (prefix: string): void => {
      for (const [key, expected] of Object.entries(c.expected[t])) {
        const [, kind, slot, name] = /^(?:(average|eval|state):)?(?:(\w+):)?(.+)$/.exec(key) ?? [];
        if ((kind === "average" || kind === "eval" ? kind : "") !== prefix) continue;
        const state = slot ? optimizer.state(name)[slot] : params.data[name];
        const actual = typeof state === "number" ? [state] : state;
        const bound = c.bound[t][key];
        if (actual.length !== expected.length)
          throw new Error(`step ${t}, ${key} has ${actual.length} elements, not ${expected.length}`);
        expected.forEach((want, i) => {
          if (!(Math.abs(actual[i] - want) <= bound))
            throw new Error(
              `step ${t}, ${key}[${i}]: ${actual[i]} is ${Math.abs(actual[i] - want)} from ${want}, allowed ${bound}`,
            );
        });
      }
    };
    compare("");
    for (const average of averages) {
      average.apply();
      compare("average");
      average.restore();
    }
    if (Object.keys(c.expected[t]).some((key) => key.startsWith("eval:"))) {
      optimizer.eval();
      compare("eval");
      optimizer.train();
    }
  }
}
