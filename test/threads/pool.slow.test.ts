import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import {
  AdamW,
  Arena,
  ParameterDict,
  SGD,
  StepOptimizer,
  WeightAverage,
  WeightEma,
  gradNorm,
} from "../../src/index.js";
import { load, save } from "../../src/checkpoint/index.js";
import { SharedArena, SharedParameterDict, Threads } from "../../src/threads/index.js";
import type { Tuning } from "../../src/threads/pool.js";
import { MLP } from "../../src/nn/index.js";
import { memoryOf, ready, start } from "./harness.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const N = 16384 * 8;

async function make(threads: Threads) {
  const params = new SharedParameterDict({ w: [N] }, { threads });
  params.grad.w.fill(1);
  await ready(params, threads);
  return { params, optimizer: new SGD(params, { lr: 1 }) };
}

describe("Threads", () => {
  test.each([
    [0, RangeError, 'Threads: "size" expected a whole number in [1, 32], got 0'],
    [1.5, RangeError, 'Threads: "size" expected a whole number in [1, 32], got 1.5'],
    [33, RangeError, 'Threads: "size" expected a whole number in [1, 32], got 33'],
    ["2", TypeError, 'Threads: "size" expected a whole number in [1, 32], got "2"'],
  ])("size %j", async (size, error, message) => {
    await expect(Threads.create(size as never)).rejects.toThrow(error);
    await expect(Threads.create(size as never)).rejects.toThrow(message);
  });

  test("options", async () => {
    await expect(Threads.create(2, { workers: 1 } as never)).rejects.toThrow(
      'Threads: unknown option "workers". The options are script',
    );
    await expect(Threads.create(2, { script: 5 } as never)).rejects.toThrow('Threads: "script" expected a URL, got 5');
  });

  test("reports a worker that does not start", async () => {
    await expect(start(2, "missing.mjs")).rejects.toThrow(/^Threads: a worker did not start: .*missing\.mjs/);
  });

  test.each(["silent.mjs", "talking.mjs"])(
    "reports a script that is not gradstep's, and ends its worker: %s",
    async (name) => {
      await expect(start(3, name, { start: 200 })).rejects.toThrow(
        "Threads: a worker did not start: its script said nothing for 0.2 s: is it gradstep/threads/worker.js?",
      );
    },
  );

  test("one thread has no workers", async () => {
    const threads = await Threads.create(1);
    const { params, optimizer } = await make(threads);
    optimizer.step();
    expect([threads.size, threads.workers, params.data.w[N - 1]]).toEqual([1, 0, -1]);
  });

  test("dispose() ends all workers and is idempotent; optimizers made on them go on, on one thread", async () => {
    const threads = await start(3);
    const { params, optimizer } = await make(threads);
    optimizer.step();
    expect(threads.workers).toBe(2);
    await Promise.all([threads.dispose(), threads.dispose()]);
    expect(threads.workers).toBe(0);
    const { helped } = memoryOf(params);
    optimizer.step();
    expect(params.data.w.every((x) => x === -2)).toBe(true);
    expect(memoryOf(params).helped).toBe(helped);
    expect(new SharedParameterDict({ v: [2] }, { threads }).numel).toBe(2);
  });

  test("a process that does not dispose exits, with workers asleep and with workers awake", async () => {
    for (const wait of [0, 50]) {
      const code = `import { Threads, SharedParameterDict } from "gradstep/threads"; import { SGD } from "gradstep";
        const threads = await Threads.create(3);
        const params = new SharedParameterDict({ w: [2 ** 20] }, { threads });
        await new Promise((resolve) => setTimeout(resolve, ${wait}));
        params.grad.w.fill(1); new SGD(params, { lr: 1 }).step(); console.log(params.data.w[2 ** 20 - 1]);`;
      const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], {
        cwd: root,
        timeout: 10_000,
      });
      expect((await run).stdout).toBe("-1\n");
    }
  });

  test("small work stays on the caller's thread; larger work is divided if workers are awake; large work wakes them", async () => {
    const threads = await start(2, undefined, { hot: 65536, cold: 524288, spin: 1 });
    const helpedBy = async (n: number, awake: boolean) => {
      const params = new SharedParameterDict({ w: [n], big: [2 ** 20] }, { threads });
      await ready(params, threads);
      if (awake) new SGD(params.subset(["big"]), { lr: 1 }).step();
      else while (!threads.pool.isAsleep(1)) await new Promise((resolve) => setTimeout(resolve, 1));
      const { helped } = memoryOf(params);
      const small = new SGD(params.subset(["w"]), { lr: 1 });
      small.step();
      return memoryOf(params).helped > helped;
    };
    expect(await helpedBy(65_000, true)).toBe(false);
    expect(await helpedBy(400_000, false)).toBe(false);
    let much = false; // on a busy machine, the worker may come too late
    for (let i = 0; i < 50 && !much; i++) much = await helpedBy(2 ** 22, false);
    expect(much).toBe(true);
    await threads.dispose();
  });
});

async function startDying(size: number, place: string, tuning: Partial<Tuning> = {}): Promise<Threads> {
  process.env.DIES_IN = place; // of which a worker has a copy
  return start(size, "dying.mjs", tuning);
}

describe("a worker that dies", () => {
  test("between steps has no effect", async () => {
    const threads = await startDying(3, "sleep", { spin: 1 });
    const { params, optimizer } = await make(threads);
    const until = performance.now() + 60;
    while (performance.now() < until); // they die meanwhile, and this thread has not heard of it
    const before = performance.now();
    optimizer.step();
    expect(performance.now() - before).toBeLessThan(100);
    expect(params.data.w.every((x) => x === -1)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(threads.workers).toBe(0);
    optimizer.step();
    expect(params.data.w.every((x) => x === -2)).toBe(true);
    await threads.dispose();
  });

  test.each(["claim", "hang", "throw"])(
    "inside a step (%s) makes it throw, and later steps of the optimizer too",
    async (place) => {
      const threads = await startDying(2, place);
      const { params, optimizer } = await make(threads);
      const [other, checkpoint] = [new ParameterDict({ w: [N] }), save(params, { optimizers: [optimizer] })];
      const ema = new WeightEma(params);
      const steps = () => {
        for (let t = 0; t < 1000; t++) optimizer.step();
      };
      const cure = /a thread died inside a step and left it half done: .* load the last checkpoint/;
      expect(steps).toThrow(cure);
      expect(() => optimizer.step()).toThrow(/^SGD: a thread died inside a step/);
      expect(() => optimizer.step()).toThrow(cure);
      expect(() => optimizer.stateDict()).toThrow(cure);
      expect(() => save(params, { optimizers: [optimizer] })).toThrow(cure);
      ema.dispose();
      new SGD(other, { lr: 1 }).step();

      optimizer.dispose();
      const next: StepOptimizer = new SGD(params, { lr: 1 });
      load(checkpoint, params, { optimizers: [next] });
      params.grad.w.fill(1);
      next.step();
      expect(params.data.w.every((x) => x === -1)).toBe(true);
      await threads.dispose();
    },
  );

  test("inside a network makes the call throw; the next ones run on the caller's thread", async () => {
    const threads = await startDying(2, "claim", { hot: 0, cold: 0 });
    const sizes = [300, 200, 10];
    const [network, alone] = [new MLP(sizes, { threads }), new MLP(sizes)];
    await ready(network.params, threads);
    const [x, y] = [new Float32Array(64 * 300).map((_, i) => Math.sin(i)), new Uint8Array(64)];
    const batches = (): void => {
      for (let t = 0; t < 1000; t++) network.trainBatch(x, y);
    };
    expect(batches).toThrow("Threads: a thread died while a network computed: give it the batch again");
    expect(network.trainBatch(x, y)).toBe(alone.trainBatch(x, y));
    new SGD(network.params, { lr: 1 }).step();
    await threads.dispose();
  });

  test("inside an average makes all averages of that memory throw, except for restore()", async () => {
    const threads = await startDying(2, "claim");
    const params = new SharedParameterDict({ w: [N], v: [4] }, { threads });
    await ready(params, threads);
    const [ema, other] = [new WeightEma(params.subset(["w"])), new WeightAverage(params.subset(["v"]))];
    other.update();
    params.data.v.fill(2);
    const saved = other.stateDict();
    other.apply();
    const updates = (): void => {
      for (let t = 0; t < 1000; t++) ema.update();
    };
    expect(updates).toThrow(/^Threads: a thread died/);
    for (const average of [ema, other])
      for (const use of [
        () => average.update(),
        () => average.apply(),
        () => average.values,
        () => average.updates,
        () => average.stateDict(),
        () => average.loadStateDict(saved),
      ])
        expect(use).toThrow(
          /^Weight(Ema|Average): a thread died .* make new optimizers and averages and load the last/,
        );
    const optimizer = new SGD(params);
    expect(() => optimizer.step()).toThrow('a WeightAverage is applied to "v"');
    other.restore();
    expect(params.data.v[0]).toBe(2);
    expect(() => optimizer.step({ average: ema })).toThrow(/^WeightEma: a thread died/);
    const next = new WeightAverage(params.subset(["v"]));
    next.loadStateDict(saved);
    next.update();
    expect(next.values.v[0]).toBe(1);
    expect(optimizer.step({ average: next })).toBe(true);
    await threads.dispose();
  });

  test("inside a norm only delays it", async () => {
    const threads = await startDying(2, "claim");
    const { params, optimizer } = await make(threads);
    for (let t = 0; t < 1000 && threads.workers > 0; t++) expect(gradNorm(params)).toBe(Math.sqrt(N));
    expect(threads.workers).toBe(0);
    optimizer.step();
    expect(params.data.w[0]).toBe(-1);
    await threads.dispose();
  });
});

describe("a shared dictionary", () => {
  test("is a ParameterDict, created with values or in an arena with others", async () => {
    const threads = await start(2);
    const params = SharedParameterDict.from({ w: { shape: [2], data: [1, 2] } }, { threads });
    expect(params).toBeInstanceOf(SharedParameterDict);
    expect(params).toBeInstanceOf(ParameterDict);
    expect(params.data.w.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([...params.subset(["w"]).data.w]).toEqual([1, 2]);

    const arena = new SharedArena({ capacity: 2 ** 20, threads });
    const [body, head] = [new SharedParameterDict({ a: [3] }, { arena }), new ParameterDict({ b: [3] }, { arena })];
    const optimizer = new AdamW(body);
    optimizer.addParamGroup({ params: head, lr: 0.1 });
    optimizer.step();
    arena.dispose();
    expect(() => optimizer.step()).toThrow("AdamW: used after dispose()");
    await threads.dispose();
  });

  test("returns nothing that is shared except its views", async () => {
    const threads = await start(2);
    const params = new SharedParameterDict({ w: [40, 50] }, { threads });
    const optimizer = new AdamW(params);
    optimizer.step();
    const ema = new WeightEma(params);
    ema.update();
    const bytes = save(params, { optimizers: [optimizer], extra: { ema: ema.stateDict() } });
    const seen = [params.copy(), optimizer.stateDict(), ema.stateDict(), bytes];
    let buffers = 0;
    const look = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      if (!ArrayBuffer.isView(value)) {
        Object.values(value).forEach(look);
        return;
      }
      buffers++;
      expect(Object.prototype.toString.call(value.buffer)).toBe("[object ArrayBuffer]");
    };
    look(seen);
    expect(buffers).toBeGreaterThanOrEqual(5);
    await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
    expect((await new Response(bytes as Uint8Array<ArrayBuffer>).arrayBuffer()).byteLength).toBe(bytes.length);
    params.assign({ w: params.data.w });
    await threads.dispose();
  });

  test.each([
    [undefined, TypeError, 'SharedParameterDict: "threads" expected Threads, got undefined'],
    [{}, TypeError, 'SharedParameterDict: "threads" expected Threads, got undefined'],
    [{ threads: 2 }, TypeError, 'SharedParameterDict: "threads" expected Threads, got 2'],
    [
      { arena: new Arena({ capacity: 1e5 }) },
      TypeError,
      'SharedParameterDict: "arena" expected a SharedArena, got an Arena',
    ],
  ])("options %#", (options, error, message) => {
    expect(() => new SharedParameterDict({ w: [1] }, options as never)).toThrow(error);
    expect(() => new SharedParameterDict({ w: [1] }, options as never)).toThrow(message);
  });

  test("options that exclude each other", async () => {
    const threads = await start(1);
    const arena = new SharedArena({ capacity: 1e6, threads });
    const make = (options: object) => () => new ParameterDict({ w: [1] }, options);
    expect(make({ threads, arena })).toThrow('"threads" excludes "arena"');
    expect(make({ threads, module: {} })).toThrow('"module" excludes "threads"');
    expect(make({ threads, capacity: 1 })).toThrow('raise "capacity" of the ParameterDict');
    expect(make({ threads: {} })).toThrow(
      'ParameterDict: "threads" expected Threads of gradstep/threads, got an object',
    );
    expect(() => new SharedArena({ capacity: 0, threads })).toThrow('SharedArena: "capacity" expected');
    expect(() => new SharedArena({ capacity: 1, threads: 2 as never })).toThrow(
      'SharedArena: "threads" expected Threads',
    );
  });
});
