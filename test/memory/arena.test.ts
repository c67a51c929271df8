import { describe, expect, test } from "vitest";
import { Adam, AdamW, Arena, ParameterDict, SGD, WeightEma } from "../../src/index.js";
import { poisonedArena } from "../support/harness.js";

const PAGE = 65536;

describe("Arena", () => {
  test("has a fixed size in whole pages, of which the first is reserved", () => {
    const arena = new Arena({ capacity: 100_000 });
    expect([arena.capacity, arena.used, arena.free]).toEqual([2 * PAGE, PAGE, PAGE]);
  });

  test.each([
    [{}, TypeError, 'Arena: "capacity" expected a number of bytes in [1, 4294901760], got undefined'],
    [{ capacity: "1" }, TypeError, 'Arena: "capacity" expected'],
    [{ capacity: 1.5 }, RangeError, 'Arena: "capacity" expected'],
    [{ capacity: 2 ** 32 }, RangeError, 'Arena: "capacity" expected'],
    [
      { capacity: 1, size: 2 },
      RangeError,
      'Arena: unknown option "size"; did you mean "capacity"? The options are capacity, module',
    ],
    [undefined, TypeError, 'Arena: "options" expected an object, got undefined'],
  ])("refuses %j", (options, error, message) => {
    const construct = () => new Arena(options as never);
    expect(construct).toThrow(error);
    expect(construct).toThrow(message);
  });

  test("several dictionaries and optimizers share one, and freed memory is reused", () => {
    const arena = new Arena({ capacity: 4 * PAGE });
    const a = new ParameterDict({ w: [1000] }, { arena });
    const b = new ParameterDict({ w: [1000] }, { arena });
    expect(arena.used).toBe(PAGE + 4 * 4032);
    const first = new Adam(a);
    expect(arena.used).toBe(PAGE + 6 * 4032);
    const place = (first.state("w").expAvg as Float32Array).byteOffset;
    first.dispose();
    first.dispose();
    expect(arena.used).toBe(PAGE + 4 * 4032);
    const second = new Adam(a);
    expect((second.state("w").expAvg as Float32Array).byteOffset).toBe(place);
    second.dispose();
    a.dispose();
    b.dispose();
    expect(arena.used).toBe(PAGE);
    new ParameterDict({ w: [(3 * PAGE) / 8] }, { arena });
    expect(arena.free).toBe(0);
  });

  /** Byte addresses of what an Adam step reads side by side, and of an average that rides along. */
  function buffers(params: ParameterDict): number[] {
    const average = new WeightEma(params);
    const { expAvg, expAvgSq } = new Adam(params).state("w") as unknown as Record<string, Float32Array>;
    return [params.data.w, params.grad.w, average.values.w, expAvg, expAvgSq].map(({ byteOffset }) => byteOffset);
  }

  test.each([2 ** 12, 2 ** 16, 2 ** 18, 2 ** 20, 2 ** 22])(
    "keeps buffers of %i elements at distances that no cache takes for none",
    (size) => {
      const places = buffers(new ParameterDict({ w: [size] }));
      places.forEach((place, i) =>
        places.slice(0, i).forEach((other) => {
          const inPage = (place - other) % 4096;
          expect(Math.min(inPage, 4096 - inPage)).toBeGreaterThanOrEqual(512);
          if (size >= 2 ** 18) expect(Math.floor((place - other) / 4096) % 256).not.toBe(0);
        }),
      );
    },
  );

  test("leaves out these gaps when the buffers would not fit otherwise", () => {
    const arena = new Arena({ capacity: PAGE + 3 * 4 * PAGE });
    new ParameterDict({ w: [PAGE] }, { arena });
    expect(arena.free).toBe(4 * PAGE - 2 * (4096 + 640));
    new ParameterDict({ w: [arena.free / 8] }, { arena });
    expect(arena.free).toBe(0);
  });

  test("a reused slot starts from 0", () => {
    const params = new ParameterDict({ w: [5] });
    for (let k = 0; k < 2; k++) {
      params.data.w.fill(0);
      params.grad.w.fill(1);
      const optimizer = new Adam(params, { lr: 0.1 });
      expect(optimizer.state("w")).toEqual({ step: 0, expAvg: new Float32Array(5), expAvgSq: new Float32Array(5) });
      optimizer.step();
      expect(params.data.w[0]).toBeCloseTo(-0.1, 6);
      optimizer.dispose();
    }
  });

  test("tensors start at 0 in memory that was used before", () => {
    const arena = poisonedArena(2 ** 18);
    const params = new ParameterDict({ a: [100], b: [7] }, { arena });
    for (const view of [params.data.a, params.data.b, params.grad.a, params.grad.b])
      expect(view.every((x) => x === 0)).toBe(true);
  });

  test("an arena that is too small names the bytes needed, the bytes free and the option, and is unchanged", () => {
    const arena = new Arena({ capacity: 2 * PAGE });
    const construct = () => new ParameterDict({ w: [10_000] }, { arena });
    expect(construct).toThrow(RangeError);
    expect(construct).toThrow('needs 80000 bytes for the tensors, 65536 are free: raise "capacity" of the Arena');
    expect(arena.free).toBe(PAGE);

    const own = () => new ParameterDict({ w: [10_000] }, { capacity: PAGE });
    expect(own).toThrow(
      'ParameterDict: needs 80000 bytes for the tensors, 0 are free: raise "capacity" of the ParameterDict',
    );

    const params = new ParameterDict({ w: [1_000_000] }, { slots: 1 });
    const optimizer = () => new AdamW(params);
    expect(optimizer).toThrow(RangeError);
    expect(optimizer).toThrow(
      /^AdamW: needs 8000000 bytes for its state, \d+ are free: raise "slots" of the ParameterDict$/,
    );
    new SGD(params, { momentum: 0.9 }).step();
  });

  test("has room for six slots by default, or for as many as requested", () => {
    const make = (options: { slots?: number }) => new ParameterDict({ w: [2_000_000], b: [3] }, options);
    const params = make({});
    for (const names of [["w"], ["b"]] as const) new Adam(params.subset([...names]), { amsgrad: true });
    expect(() => new Adam(make({ slots: 2 }))).not.toThrow();
    expect(() => new Adam(make({ slots: 1 }))).toThrow(RangeError);
  });

  test("the message says when free memory is in pieces", () => {
    const arena = new Arena({ capacity: 2 * PAGE });
    const parts = Array.from({ length: 4 }, () => new ParameterDict({ w: [2048] }, { arena }));
    parts[0].dispose();
    parts[2].dispose();
    expect(() => new ParameterDict({ w: [4096] }, { arena })).toThrow(
      "needs 32768 bytes for the tensors, 32768 are free in pieces, the largest of 16384",
    );
    parts[1].dispose();
    new ParameterDict({ w: [6144] }, { arena });
  });

  test("disposing of it ends everything in it", () => {
    const arena = new Arena({ capacity: 2 ** 18 });
    const params = new ParameterDict({ w: [3] }, { arena });
    const optimizer = new Adam(params);
    arena.dispose();
    arena.dispose();
    for (const use of [() => arena.capacity, () => arena.used, () => arena.free])
      expect(use).toThrow("Arena: used after dispose()");
    expect(() => params.data).toThrow("ParameterDict: used after dispose()");
    expect(() => optimizer.step()).toThrow("Adam: used after dispose()");
    expect(() => new ParameterDict({ w: [3] }, { arena })).toThrow("ParameterDict: used after dispose()");
    optimizer.dispose();
    params.dispose();
  });
});
