// Tests the binary: its imports and exports, and the public ways to instantiate it.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ParameterDict, SGD } from "../../src/index.js";
import { type Kernels, instantiate } from "../../src/kernels.js";
import { MLP } from "../../src/nn/index.js";
import { DONE } from "../../src/wasm/generated/layout/threads.js";
import { builds } from "../support/builds.js";
import { rows } from "../rules/table.js";

/** The kernels that all rules share: reductions, whole-vector operations, sparse rows and small formats. */
const shared: (keyof Kernels)[] = [
  ...(["sumOfSquares", "sumOfAbs", "dot", "dotDifference", "maxAbs", "firstNonFinite"] as const),
  ...(["sumOfRatios", "sumOfSquaredProducts", "centralize"] as const),
  ...(["scale", "clamp", "addScaled", "approach", "climb", "exchange", "flushDenormals"] as const),
  ...(["gatherRows", "scatterRows", "pack", "unpack"] as const),
];

/** The matrix product, which Muon needs. */
const products: (keyof Kernels)[] = ["product", "takePart"];

describe.each(builds)("the $build binaries", ({ module, nnModule }) => {
  test("import nothing but their memory", () => {
    for (const binary of [module, nnModule])
      expect(WebAssembly.Module.imports(binary)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
  });

  test("write their constants to different parts of the first page, below the threads' words", () => {
    const written = (binary: WebAssembly.Module): readonly [number, number] => {
      const memory = new WebAssembly.Memory({ initial: 1 });
      const bytes = new Uint8Array(memory.buffer).fill(0xa5);
      new WebAssembly.Instance(binary, { env: { memory } });
      const changed = [...bytes.keys()].filter((at) => bytes[at] !== 0xa5);
      return [changed[0] ?? DONE, changed[changed.length - 1] ?? 0];
    };
    const [[, kernelsEnd], [nnStart, nnEnd]] = [written(module), written(nnModule)];
    expect(kernelsEnd).toBeLessThan(nnStart);
    expect(nnEnd).toBeLessThan(DONE);
  });

  test("every kernel that it exports has a row in the table, or belongs to all rules", () => {
    const known = new Set<string>([...rows.flatMap((row) => row.kernels), ...shared, ...products]);
    const exported = WebAssembly.Module.exports(module).map((e) => e.name);
    expect(exported.filter((name) => !known.has(name))).toEqual([]);
    expect([...known].filter((name) => !exported.includes(name))).toEqual([]);
  });

  test("works as `module`, in a dictionary and by itself", () => {
    const params = new ParameterDict({ w: [5] }, { module });
    params.grad.w.fill(1);
    new SGD(params, { lr: 1 }).step();
    expect(params.data.w[4]).toBe(-1);
  });
});

test("the optimizers' release binary has the offsets of vectors in its loads, not in additions", () => {
  const bytes = readFileSync(new URL("../../build/kernels.wasm", import.meta.url));
  const isFolded = (at: number): boolean => bytes[at] === 0xfd && bytes[at + 1] === 0 && bytes[at + 3] === 16; // v128.load
  expect([...bytes.keys()].filter(isFolded).length).toBeGreaterThan(300);
});

describe("nnModule", () => {
  const mlp = (options: object) => new MLP([3, 4, 2], options);
  const [x, y] = [Float32Array.of(1, 2, 3), [1]];

  test.each(builds)("takes the $build binary, with the same bits", ({ module, nnModule }) => {
    expect(mlp({ module, nnModule }).trainBatch(x, y)).toBe(mlp({}).trainBatch(x, y));
  });

  test("throws on anything else", () => {
    const expected = '"nnModule" expected a WebAssembly.Module of gradstep/nn.wasm, got';
    expect(() => mlp({ nnModule: {} })).toThrow(new TypeError(`MLP: ${expected} an object`));
    expect(() => mlp({ nnModule: builds[0].module })).toThrow(new RangeError(`MLP: ${expected} one of something else`));
    expect(() => mlp({ module: builds[0].nnModule })).toThrow(RangeError);
  });
});

describe("instantiate", () => {
  test("returns the raw exports on a given memory", () => {
    const memory = new WebAssembly.Memory({ initial: 2 });
    const { sgd } = instantiate(memory);
    const at = (address: number) => new Float32Array(memory.buffer, address, 16);
    at(65600).fill(3);
    sgd(16, 65536, 65600, 0, 1, 0, 0, 0, 0, 0.5, 0);
    expect([...at(65536)]).toEqual(Array.from({ length: 16 }, () => -1.5));
  });

  test("accepts a module from another realm", async () => {
    const { runInNewContext } = await import("node:vm");
    const { readFileSync } = await import("node:fs");
    const bytes = readFileSync(new URL("../../build/kernels.wasm", import.meta.url));
    const foreign = runInNewContext("new WebAssembly.Module(bytes)", { bytes }) as object;
    expect(foreign).not.toBeInstanceOf(WebAssembly.Module);
    expect(instantiate(new WebAssembly.Memory({ initial: 1 }), foreign).sgd).toBeTypeOf("function");
    expect(new ParameterDict({ w: [1] }, { module: foreign }).numel).toBe(1);
  });

  test("throws on anything that is not a memory or module", () => {
    expect(() => instantiate({})).toThrow('instantiate: "memory" expected a WebAssembly.Memory, got an object');
    expect(() => instantiate(new WebAssembly.Memory({ initial: 1 }), {})).toThrow(TypeError);
  });
});
