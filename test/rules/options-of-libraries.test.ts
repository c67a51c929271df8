// Compares options with numbers recorded from PyTorch 2.15 and optax 0.2.8.
import { describe, expect, test } from "vitest";
import { load, save } from "../../src/checkpoint/index.js";
import { unpack } from "../../src/checkpoint/safetensors.js";
import { ADOPT, ASGD, LBFGS, Muon, ParameterDict, Prodigy, SGD, WeightEma } from "../../src/index.js";

const of = (...data: number[]): ParameterDict<"w"> =>
  ParameterDict.from({ w: { shape: [data.length], data } }, { slots: 220 });
const near = (got: ArrayLike<number>, expected: readonly number[], digits = 5): void =>
  expected.forEach((x, i) => expect(got[i]).toBeCloseTo(x, digits));

describe("ASGD", () => {
  test("applies changed options one step later", () => {
    const params = of(1);
    const optimizer = new ASGD(params, { lr: 0.1, lambd: 0.5, t0: 1, alpha: 0.6 });
    const [group] = optimizer.paramGroups;
    const expected = [
      [0.8499999642372131, 0.8499999642372131],
      [0.6144959926605225, 0.6144959926605225],
      [0.30215340852737427, 0.30215340852737427],
      [0.2617604732513428, 0.2819569408893585],
      [0.2114076018333435, 0.2584404945373535],
      [0.15132856369018555, 0.23701810836791992],
    ];
    expected.forEach(([theta, average], t) => {
      if (t === 2) group.lr = 0.01;
      if (t === 3) group.lambd = 0.25;
      if (t === 4) group.t0 = 0;
      params.grad.w[0] = t + 1;
      optimizer.step();
      near([params.data.w[0], (optimizer.state("w").ax as Float32Array)[0]], [theta, average], 6);
    });
  });

  test("a state saved by 0.1, without eta and mu, resumes as in 0.1", () => {
    const run = (old: boolean): Float32Array => {
      const params = of(1, 2);
      const optimizer = new ASGD(params, { lr: 0.1, lambd: 0.3, t0: 2 });
      for (let t = 0; t < 8; t++) {
        if (t === 5 && old) {
          const saved = structuredClone(optimizer.stateDict());
          (saved.state.w as { scalars: object }).scalars = {};
          optimizer.loadStateDict(saved);
        }
        params.grad.w.fill(t);
        optimizer.step();
      }
      return optimizer.state("w").ax;
    };
    expect(run(true)).toEqual(run(false));
  });
});

test("options that are missing in states of 0.1 get their defaults, in checkpoints too", () => {
  for (const [Rule, option, value, initial] of [
    [ADOPT, "clipExponent", 0.7, 0.333],
    [Muon, "nsCoefficients", [1, 2, 3], [3.4445, -4.775, 2.0315]],
    [LBFGS, "maximize", true, false],
  ] as const) {
    const params = ParameterDict.from({ w: { shape: [1, 2], data: [1, 2] } }, { slots: 220 });
    const optimizer = new Rule(params, { [option]: value });
    const saved = structuredClone(optimizer.stateDict());
    Reflect.deleteProperty(saved.groups[0].options, option);
    optimizer.loadStateDict(saved);
    expect((optimizer.paramGroups[0] as unknown as Record<string, unknown>)[option]).toEqual(initial);
    optimizer.dispose();
  }
});

test("Muon's nsCoefficients and spectral_unclamped, and its checkpoint", () => {
  const shape = { shape: [2, 3], data: [1, 2, 3, 4, 5, 7] };
  const params = ParameterDict.from({ w: shape });
  const options = { lr: 0.1, nsCoefficients: [2, -1.5, 0.5], adjustLr: "spectral_unclamped" } as const;
  const optimizer = new Muon(params, options);
  for (let t = 1; t <= 3; t++) {
    params.grad.w.set([1, -2, 0.5, 0.3, 4, -1].map((g) => g * t));
    optimizer.step();
  }
  // PyTorch works in bfloat16.
  near(params.data.w, [0.75021, 2.03927, 2.88623, 3.77904, 4.63741, 6.84562], 2);
  const other = ParameterDict.from({ w: shape });
  const loaded = new Muon(other, { adjustLr: "spectral_unclamped" });
  const bytes = save(params, { optimizers: [optimizer] });
  load(bytes, other, { optimizers: [loaded] });
  expect(loaded.paramGroups[0]).toMatchObject(options);
  const written = JSON.parse(unpack(bytes).metadata.get("param_groups") ?? "") as Record<string, unknown>;
  expect(written["param_groups.w.ns_coefficients"]).toEqual([2, -1.5, 0.5]);
});

test("ADOPT in optax's dialect", () => {
  const params = of(1, -1);
  const optimizer = new ADOPT(params, { dialect: "optax", lr: 0.1 });
  [1, 1, 10, 30, 1].forEach((g, t) => {
    params.grad.w.set([g, [0.1, -5, 3, 0, 1][t]]);
    optimizer.step();
  });
  near(params.data.w, [0.8988417, -1.0119797]);
  expect(new ADOPT(of(1)).paramGroups[0].clipExponent).toBe(0.333);
});

describe("WeightEma with debias", () => {
  const params = of(0);
  const values = [1, 1.5263153, 2.07011, 2.6312873];
  const setUp = (): WeightEma<"w"> => new WeightEma(params, { decay: 0.9, debias: true });

  test("equals optax.ema, by update() and in a step", () => {
    const ema = setUp();
    const optimizer = new SGD(params, { lr: 1 });
    values.forEach((value, k) => {
      params.data.w[0] = k + 1;
      if (k % 2) ema.update();
      else optimizer.step({ average: ema });
      near(ema.values.w, [value]);
    });
    ema.apply();
    near(params.data.w, [2.6312873]);
    ema.restore();
    expect(params.data.w[0]).toBe(4);
    optimizer.dispose();
  });

  test("resumes from its state; a state of 0.1 has no debias", () => {
    const [one, two, plain] = [setUp(), new WeightEma(params), new WeightEma(params, { decay: 0.9 })];
    values.forEach((value, k) => {
      params.data.w[0] = k + 1;
      for (const ema of k < 2 ? [one] : [one, two]) ema.update();
      if (k === 1) two.loadStateDict(structuredClone(one.stateDict()));
      near(one.values.w, [value]);
      plain.update();
    });
    expect(two.values.w).toEqual(one.values.w);
    near(plain.values.w, [1.561]);
    const old = plain.stateDict();
    Reflect.deleteProperty(old, "debias");
    two.loadStateDict(old);
    params.data.w[0] = 5;
    two.update();
    near(two.values.w, [0.9 * 1.561 + 0.5]);
  });

  test("a decay of 0 or 1, set live, and a debias that is not a boolean", () => {
    const ema = setUp();
    for (const [k, decay, value] of [
      [1, 1, 1],
      [2, 1, 1.5],
      [3, 1, 2],
      [4, 0, 4],
    ] as const) {
      ema.decay = decay;
      params.data.w[0] = k;
      ema.update();
      near(ema.values.w, [value]);
    }
    expect(() => new WeightEma(params, { debias: 1 as never })).toThrow(
      new TypeError('WeightEma: "debias" expected true or false, got 1'),
    );
    expect(() => ema.loadStateDict({ ...ema.stateDict(), debias: "no" as never })).toThrow(TypeError);
  });
});

describe("Prodigy's groups", () => {
  test("without tensors do not affect the rate, d0 or the estimate", () => {
    const run = (grouped: boolean, added = false): [Float32Array, unknown] => {
      const params: ParameterDict = of(1, 2);
      const none = params.subset([]);
      const own = { lr: 0.5, d0: 1e-3, betas: [0.8, 0.9] as const, dCoef: 2, growthRate: 1.5 };
      const optimizer = added
        ? new Prodigy(none)
        : grouped
          ? new Prodigy(params, {
              groups: [
                { params: [], lr: 3 },
                { params: ["w"], ...own },
              ],
            })
          : new Prodigy(params, own);
      if (added) optimizer.addParamGroup({ params, ...own });
      for (let t = 0; t < 5; t++) {
        params.grad.w.set([1, -0.5]);
        optimizer.step();
      }
      return [params.data.w, optimizer.state("w").d];
    };
    expect(run(true)).toEqual(run(false));
    expect(run(true, true)).toEqual(run(false));
  });
});

describe("LBFGS", () => {
  const rosenbrock = (params: ParameterDict<"w">, sign: 1 | -1) => (): number => {
    const [x, y] = params.data.w;
    params.grad.w.set([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)].map((g) => g * sign));
    return sign * ((1 - x) ** 2 + 100 * (y - x * x) ** 2);
  };

  test("maximize equals minimizing the negated loss, and leaves the closure's gradients", () => {
    for (const options of [{ lineSearch: "strong-wolfe", maxIter: 6 }, { lr: 1e-3 }] as const) {
      const [up, down] = [of(-1.2, 1), of(-1.2, 1)];
      const [ascend, descend] = [new LBFGS(up, { ...options, maximize: true }), new LBFGS(down, options)];
      for (let k = 0; k < 3; k++) {
        expect(ascend.step(rosenbrock(up, -1))).toBe(-descend.step(rosenbrock(down, 1)));
        expect(up.data.w).toEqual(down.data.w);
        expect(up.grad.w).toEqual(down.grad.w.map((g) => -g));
      }
      if (options.lr === undefined) near(up.data.w, [-0.04619, -0.01801], 4);
    }
  });

  test("maximize: a closure sees its gradients unchanged, also when it throws or they are not finite", () => {
    for (const nonFinite of ["skip", "throw"] as const) {
      const params = of(-1.2, 1);
      const optimizer = new LBFGS(params, { lr: 1e-3, maximize: true, nonFinite });
      const loss = rosenbrock(params, -1);
      let last = new Float32Array(2);
      let calls = 0;
      const closure = (): number => {
        if (calls++ > 0) expect(params.grad.w).toEqual(last);
        const value = loss();
        if (calls === 3) params.grad.w[1] = Infinity;
        last = params.grad.w.slice();
        if (calls === 5) throw new Error("mine");
        return value;
      };
      if (nonFinite === "throw") expect(() => optimizer.step(closure)).toThrow('the gradient of "w" is Infinity');
      else optimizer.step(closure);
      const taken = params.grad.w.slice();
      loss();
      expect(params.grad.w).toEqual(taken); // the gradients at the point that was restored
      calls = 3;
      last = params.grad.w.slice();
      expect(() => optimizer.step(closure)).toThrow("mine");
    }
  });

  test("adds no pair to the history for a step that was undone or not taken", () => {
    const params = of(3, 4);
    const optimizer = new LBFGS(params, { nonFinite: "skip", maxIter: 2, historySize: 5 });
    optimizer.step(() => {
      params.grad.w.set(params.data.w);
      return 1;
    });
    const before = optimizer.state("w").historyLength;
    let calls = 0;
    params.data.w.set([3, 4]);
    optimizer.step(() => {
      params.grad.w.set(++calls === 2 ? [NaN, NaN] : [3, 4]);
      return 10;
    });
    expect([...params.data.w]).toEqual([3, 4]);
    expect(optimizer.state("w").t).toBe(0);
    calls = 0;
    optimizer.step(() => {
      params.grad.w.set(++calls === 1 ? [0.5, 0.1] : [1e-9, 1e-9]);
      return 10 - calls;
    });
    expect(optimizer.state("w").historyLength).toBe(before);
    expect([...(optimizer.state("w").oldStps as Float32Array)].every((x) => x === 0)).toBe(true);

    const flat = of(1, 1);
    const waiting = new LBFGS(flat, { maxIter: 1, toleranceChange: 10 });
    for (const g of [1, 1.5, 2]) waiting.step(() => (flat.grad.w.fill(g), g));
    expect([...flat.data.w]).toEqual([1, 1]);
    expect(waiting.state("w")).toMatchObject({ historyLength: 0, t: 0 });
  });

  test("maxEval does not cut a line search short, unlike PyTorch 2.15", () => {
    const calls = (options: object): number => {
      const params = of(-1.2, 1);
      const optimizer = new LBFGS(params, { lineSearch: "strong-wolfe", ...options });
      let n = 0;
      const loss = rosenbrock(params, 1);
      optimizer.step(() => (n++, loss()));
      expect(params.data.w[0]).not.toBe(Math.fround(-1.2));
      return n;
    };
    expect([calls({ maxIter: 1 }), calls({ maxEval: 3 }), calls({ maxIter: 4 })]).toEqual([3, 3, 5]);
  });
});
