// SAM: the climb and the way back, what is skipped, saved or refused between the two steps; and centralized gradients.
import { describe, expect, test } from "vitest";
import {
  Adam,
  AdamW,
  Arena,
  LBFGS,
  Lookahead,
  ParameterDict,
  SAM,
  SGD,
  ScheduleFreeSGD,
  WeightEma,
  centralizeGradients,
} from "../../src/index.js";
import { load, save } from "../../src/checkpoint/index.js";
import { StepLR } from "../../src/schedule/index.js";
import { bits, fillGradient, paddingOf, random } from "../support/harness.js";
import { orderedSum } from "../support/reference/sums.js";
import { make, rows } from "../rules/table.js";
import { shapesOf } from "../support/harness.js";

const f = Math.fround;
const SIZES = { a: [5, 3], b: [17], empty: [0] } as const;

function setUp(options: ConstructorParameters<typeof SAM>[1] = {}, sgd: ConstructorParameters<typeof SGD>[1] = {}) {
  const params = new ParameterDict(SIZES);
  const next = random(3);
  for (const name of params.names) params.data[name].set(params.data[name].map(() => next() - 0.5));
  const optimizer = new SGD(params, { lr: 0.1, momentum: 0.9, ...sgd });
  const fill = (): void => {
    for (const name of params.names) fillGradient(params.grad[name], next);
  };
  return { params, optimizer, sam: new SAM(optimizer, options), fill };
}

describe("firstStep()", () => {
  test.each([
    { adaptive: false, maximize: false, gradScale: 1 },
    { adaptive: true, maximize: false, gradScale: 0.25 },
    { adaptive: false, maximize: true, gradScale: 1 },
    { adaptive: true, maximize: true, gradScale: -3 },
  ])("climbs as a plain loop does: %o", ({ adaptive, maximize, gradScale }) => {
    const { params, sam, fill } = setUp({ rho: 0.2, adaptive }, { maximize });
    fill();
    const before = params.copy();
    for (const name of params.names) paddingOf(params.grad[name]).fill(NaN);
    let sum = 0;
    for (const name of params.names) {
      const [x, g] = [before[name], params.grad[name]];
      sum += orderedSum(x.length, (i) => (adaptive ? x[i] * g[i] : g[i]) ** 2);
    }
    const c = f((0.2 * gradScale) / (Math.sqrt(sum) * Math.abs(gradScale) + 1e-12)) * (maximize ? -1 : 1);
    expect(sam.firstStep({ gradScale })).toBe(true);
    for (const name of params.names)
      expect(bits(params.data[name])).toEqual(
        bits(
          before[name].map((x, i) => {
            const g = params.grad[name][i];
            return f(x + f(c * (adaptive ? f(f(x * x) * g) : g)));
          }),
        ),
      );
  });

  test("a zero gradient climbs nowhere", () => {
    const { params, sam } = setUp();
    const before = params.copy();
    sam.firstStep();
    expect(params.copy()).toEqual(before);
  });

  test("moves nothing and returns false where a gradient that is not finite is skipped", () => {
    const { params, sam, fill } = setUp({}, { nonFinite: "skip" });
    fill();
    params.grad.a[4] = Infinity;
    const before = params.copy();
    expect(sam.firstStep({ zeroGrad: true })).toBe(false);
    expect(params.copy()).toEqual(before);
    expect(params.grad.a[4]).toBe(0);
    expect(() => sam.secondStep()).toThrow("SAM: secondStep() without firstStep()");
    expect(() => sam.stateDict()).not.toThrow();
    let calls = 0;
    const loss = sam.step(() => {
      params.grad.b[0] = NaN;
      return ++calls;
    });
    expect([loss, calls]).toEqual([1, 1]);
    const strict = setUp({}, { nonFinite: "throw" });
    strict.params.grad.b[2] = NaN;
    expect(() => strict.sam.firstStep()).toThrow('SAM: the gradient of "b" is NaN at element 2');
  });

  test.each(["throw", "skip"] as const)(
    "takes no memory for a new group when nonFinite is %o and it moves nothing",
    (nonFinite) => {
      const arena = new Arena({ capacity: 2 ** 18 });
      const optimizer = new SGD(new ParameterDict({ a: [3] }, { arena }), { lr: 0.5, nonFinite });
      const sam = new SAM(optimizer);
      const late = new ParameterDict({ late: [20] }, { arena });
      optimizer.addParamGroup({ params: late });
      late.grad.late[1] = NaN;
      const { used } = arena;
      if (nonFinite === "throw")
        expect(() => sam.firstStep()).toThrow('SAM: the gradient of "late" is NaN at element 1');
      else expect(sam.firstStep()).toBe(false);
      expect(arena.used).toBe(used);
      late.grad.late.fill(1);
      expect(sam.firstStep()).toBe(true);
      expect(arena.used).toBeGreaterThan(used);
      late.grad.late.fill(1);
      sam.secondStep();
      expect([...late.data.late]).toEqual(Array(20).fill(-0.5));
    },
  );
});

describe("secondStep()", () => {
  test.each(rows.map((row) => [row.rule, row] as const))("is %s's step from where the climb began", (_, row) => {
    const [one, other] = [1, 2].map(() => {
      const params: ParameterDict = new ParameterDict(shapesOf(row, { a: 15, b: 17 }));
      const next = random(3);
      for (const name of params.names) params.data[name].set(params.data[name].map(() => next() - 0.5));
      return { params, optimizer: make(row.rule, params, row.variants[0]), next };
    });
    const sam = new SAM(one.optimizer, { rho: 0.3 });
    for (let t = 0; t < 4; t++) {
      for (const name of one.params.names) fillGradient(one.params.grad[name], one.next);
      sam.firstStep();
      for (const { params } of [one, other])
        for (const name of params.names) fillGradient(params.grad[name], random(t + 5));
      sam.secondStep({ clipNorm: 1 });
      other.optimizer.step({ clipNorm: 1 });
      for (const name of one.params.names) expect(bits(one.params.data[name])).toEqual(bits(other.params.data[name]));
    }
  });

  test("skips what the first step has skipped, and tensors of groups that came between", () => {
    const arena = new Arena({ capacity: 2 ** 18 });
    const params = new ParameterDict({ a: [3], b: [3], c: [3] }, { arena });
    const late = new ParameterDict({ late: [2] }, { arena });
    for (const name of params.names) params.grad[name].fill(1);
    late.grad.late.fill(1);
    const optimizer = new SGD(params, { lr: 0.5 });
    const sam = new SAM(optimizer);
    sam.firstStep({ skip: ["b"] });
    expect([...params.data.b]).toEqual([0, 0, 0]);
    optimizer.addParamGroup({ params: late });
    sam.secondStep({ skip: ["c"] });
    expect([params.data.a[0], params.data.b[0], params.data.c[0], late.data.late[0]]).toEqual([-0.5, 0, 0, 0]);
    sam.firstStep();
    sam.secondStep();
    expect([params.data.b[0], late.data.late[0]]).toEqual([-0.5, -0.5]);
  });

  test("one that throws changes nothing, and can be repeated", () => {
    const { params, sam, fill, optimizer } = setUp({}, { nonFinite: "throw" });
    fill();
    sam.firstStep({ skip: ["b"] });
    const climbed = params.copy();
    expect(() => sam.secondStep({ clipNorm: -1 })).toThrow(RangeError);
    expect(() => sam.secondStep({ skip: 5 as never })).toThrow(TypeError);
    params.grad.a[0] = NaN;
    expect(() => sam.secondStep()).toThrow("the gradient of");
    expect(params.copy()).toEqual(climbed);
    expect(() => optimizer.step()).toThrow('SGD: a SAM has moved "a": call its secondStep() first');
    params.grad.a[0] = 1;
    expect(sam.secondStep()).toBe(true);
    expect(optimizer.state("a").step).toBe(1);
    expect(optimizer.state("b").step).toBe(0);
  });

  test("allocates nothing in the arena, and its averages take the parameters after the step", () => {
    const { params, sam, fill } = setUp();
    const ema = new WeightEma(params, { decay: 0.5 });
    fill();
    sam.step(() => 1);
    const { used } = params.arena;
    fill();
    sam.firstStep();
    expect(() => ema.update()).toThrow('WeightEma: a SAM has moved "a"');
    expect(() => ema.apply()).toThrow(Error);
    sam.secondStep({ average: ema });
    expect(params.arena.used).toBe(used);
    expect(bits(ema.values.a)).toEqual(bits(params.data.a));
  });
});

describe("step(closure)", () => {
  test("does both, calls the closure twice and returns the first loss", () => {
    const [a, b] = [setUp(), setUp()];
    let calls = 0;
    const closure = (): number => {
      a.params.grad.b.forEach((_, i, g) => (g[i] = a.params.data.b[i] * 3));
      return 10 * ++calls;
    };
    expect(a.sam.step(closure, { clipNorm: 1 })).toBe(10);
    expect(calls).toBe(2);
    for (const step of [() => b.sam.firstStep(), () => b.sam.secondStep({ clipNorm: 1 })]) {
      b.params.grad.b.forEach((_, i, g) => (g[i] = b.params.data.b[i] * 3));
      step();
    }
    expect(bits(a.params.data.b)).toEqual(bits(b.params.data.b));
  });

  test("leaves the parameters as they were when the closure or the second step throws", () => {
    const { params, sam, fill } = setUp();
    fill();
    const before = params.copy();
    let calls = 0;
    const closure = (): number => {
      if (++calls === 2) throw new Error("out of data");
      return 1;
    };
    expect(() => sam.step(closure)).toThrow("out of data");
    expect(params.copy()).toEqual(before);
    expect(() => sam.step(() => 1, { clipNorm: -1 })).toThrow(RangeError);
    expect(params.copy()).toEqual(before);
    expect(() => sam.step(5 as never)).toThrow(TypeError);
    expect(params.arena.applied).toBe(0);
  });
});

describe("state", () => {
  test("is resumed with the same bits, around a Lookahead too", () => {
    const run = (save: boolean): Uint32Array => {
      let now = setUp({ rho: 0.1, adaptive: true });
      const wrap = ({ optimizer }: typeof now) => new SAM(new Lookahead(optimizer, { k: 2 }), { rho: 0.1 });
      let sam = wrap(now);
      const next = random(9);
      for (let t = 0; t < 5; t++) {
        if (save && t === 3) {
          const saved = structuredClone(sam.stateDict());
          const values = now.params.copy();
          now = setUp();
          now.params.assign(values);
          sam = wrap(now);
          sam.loadStateDict(saved);
        }
        for (const step of [() => sam.firstStep(), () => sam.secondStep()]) {
          for (const name of now.params.names) fillGradient(now.params.grad[name], next);
          step();
        }
      }
      return bits(now.params.data.a);
    };
    expect(run(true)).toEqual(run(false));
  });

  test("is refused between the two steps, and with wrong values", () => {
    const { params, optimizer, sam } = setUp();
    const saved = sam.stateDict();
    expect(saved).toMatchObject({ format: "gradstep/sam", version: 1, rho: 0.05, adaptive: false });
    for (const bad of [{ rho: -1 }, { adaptive: 1 }, { format: "gradstep/lookahead" }, { optimizer: {} }])
      expect(() => sam.loadStateDict({ ...saved, ...bad } as never)).toThrow();
    const bytes = save(params, { optimizers: [optimizer] });
    sam.firstStep();
    for (const act of [
      () => sam.stateDict(),
      () => sam.loadStateDict(saved),
      () => sam.firstStep(),
      () => sam.step(() => 1),
    ])
      expect(act).toThrow(/^SAM: \w+\(\) after firstStep\(\): call secondStep\(\) first$/);
    const refused = 'a SAM has moved "a": call its secondStep() first';
    for (const act of [
      () => optimizer.stateDict(),
      () => save(params, { optimizers: [optimizer] }),
      () => save(params),
      () => load(bytes, params),
      () => params.assign({ a: new Float32Array(15) }),
    ])
      expect(act).toThrow(refused);
    sam.secondStep();
    expect(() => load(bytes, params, { optimizers: [optimizer] })).not.toThrow();
  });

  test("dispose() takes the parameters back and frees the copy", () => {
    const { params, optimizer, sam, fill } = setUp();
    const { used } = params.arena;
    const other = new SAM(optimizer);
    expect(params.arena.used).toBeGreaterThan(used);
    other.dispose();
    expect(params.arena.used).toBe(used);
    fill();
    const before = params.copy();
    sam.firstStep();
    sam.dispose();
    sam.dispose();
    expect(params.copy()).toEqual(before);
    expect(optimizer.step()).toBe(true);
    for (const act of [() => sam.firstStep(), () => sam.stateDict(), () => sam.paramGroups])
      expect(act).toThrow("SAM: used after dispose()");
  });
});

test("dispose() writes nothing where its tensors were, if the optimizer and they went first", () => {
  const arena = new Arena({ capacity: 2 ** 18 });
  const params = new ParameterDict({ a: [8] }, { arena });
  params.grad.a.fill(1);
  const optimizer = new SGD(params, { lr: 0.1 });
  const sam = new SAM(optimizer);
  sam.firstStep();
  optimizer.dispose();
  params.dispose();
  const next = ParameterDict.from({ b: { shape: [8], data: new Float32Array(8).fill(5) } }, { arena });
  sam.dispose();
  expect([...next.data.b]).toEqual(Array(8).fill(5));
  expect(arena.applied).toBe(0);
});

test("a schedule takes a SAM; LBFGS and wrong options are refused; eval() and an applied average, too", () => {
  const { params, sam } = setUp();
  const schedule = new StepLR(sam, { stepSize: 1, gamma: 0.5 });
  schedule.step();
  expect(sam.paramGroups[0].lr).toBe(0.05);
  const one = new ParameterDict({ x: [2] });
  expect(() => new SAM(new LBFGS(one) as never)).toThrow(
    'SAM: "optimizer" expected an optimizer whose step() takes no closure, or a Lookahead, got an LBFGS',
  );
  const adam = new Adam(new ParameterDict({ x: [2] }));
  expect(() => new SAM(adam, { rho: -1 })).toThrow('SAM: "rho" expected a finite number >= 0, got -1');
  expect(() => new SAM(adam, { adaptive: 1 as never })).toThrow(TypeError);
  expect(() => new SAM(adam, { eps: 1 } as never)).toThrow(RangeError);
  expect(() => sam.firstStep({ clipNorm: 1 } as never)).toThrow(/unknown option "clipNorm"/);
  expect(() => sam.firstStep({ skip: ["z"] as never })).toThrow(RangeError);
  const free = new ScheduleFreeSGD(new ParameterDict({ x: [2] }), { lr: 0.1 });
  free.step();
  free.eval();
  expect(() => new SAM(free).firstStep()).toThrow("call train() first");
  const ema = new WeightEma(params);
  ema.update();
  ema.apply();
  expect(() => sam.firstStep()).toThrow("a WeightEma is applied to");
});

test("centralizeGradients() takes its mean from each row, and leaves vectors and what follows", () => {
  const params = new ParameterDict({ w: [3, 5], k: [2, 3, 3], v: [7], none: [0, 4], row: [2, 1] });
  const next = random(4);
  for (const name of params.names) {
    fillGradient(params.grad[name], next);
    paddingOf(params.grad[name]).fill(7);
  }
  const want = Object.fromEntries(
    params.names.map((name) => {
      const [rows] = params.shapes[name];
      const g = params.grad[name].slice();
      if (params.shapes[name].length < 2 || g.length === 0) return [name, g];
      const n = g.length / rows;
      for (let r = 0; r < rows; r++) {
        const row = g.subarray(r * n, (r + 1) * n);
        const mean = f(orderedSum(n, (i) => row[i]) / n);
        row.forEach((x, i) => (row[i] = f(x - mean)));
      }
      return [name, g];
    }),
  );
  centralizeGradients(params);
  for (const name of params.names) {
    expect(bits(params.grad[name]), name).toEqual(bits(want[name]));
    expect(paddingOf(params.grad[name]).every((x) => x === 7)).toBe(true);
  }
  expect(() => centralizeGradients(new AdamW(params) as never)).toThrow(TypeError);
});
