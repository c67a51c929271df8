// The Worker, in workerd: it learns, remembers across restarts, and refuses what does not fit.
import { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { AdamW } from "../../../dist/index.js";
import { read, save } from "../../../dist/checkpoint/index.js";
import { MLP, Random } from "../../../dist/nn/index.js";
import { Miniflare } from "miniflare";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folder = `${root}examples/worker/`;
const persisted = mkdtempSync(`${tmpdir()}/gradstep-`);
afterAll(() => rmSync(persisted, { recursive: true }));

const settings = ts.parseConfigFileTextToJson("", readFileSync(`${folder}wrangler.jsonc`, "utf8")).config;
const [{ name: binding, class_name: className }] = settings.durable_objects.bindings;
let script;

/** The Worker as wrangler.jsonc has it, with the storage that earlier ones have left. */
const start = (vars = {}) =>
  new Miniflare({
    compatibilityDate: settings.compatibility_date,
    modules: [
      { type: "ESModule", path: "worker.mjs", contents: script },
      ...["kernels.wasm", "nn.wasm"].map((path) => ({
        type: "CompiledWasm",
        path,
        contents: readFileSync(`${root}dist/${path}`),
      })),
    ],
    bindings: { ...settings.vars, ...vars },
    durableObjects: {
      [binding]: { className, useSQLite: settings.migrations[0].new_sqlite_classes.includes(className) },
    },
    durableObjectsPersist: persisted,
  });

/** Rows around three points, and which. */
function samples(count, seed) {
  const random = new Random(seed);
  const y = Array.from({ length: count }, () => random.below(3));
  const x = y.map((label) => Array.from({ length: 4 }, (_, i) => Number(i === label) + random.uniform() / 2));
  return { x, y };
}
const [first, second, unseen] = [samples(100, 1), samples(70, 2), samples(50, 3)];

let worker;
const ask = async (path, body, method = "POST") => {
  const response = await worker.dispatchFetch(`http://localhost${path}`, { method, body });
  return { status: response.status, body: await response.json() };
};
const post = (path, value) => ask(path, JSON.stringify(value));
const file = async (name) => Buffer.from(await (await worker.dispatchFetch(`http://localhost${name}`)).arrayBuffer());
const restart = async (vars) => {
  await worker.dispose();
  worker = start(vars);
};

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [`${folder}${settings.main}`],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:workers"],
    plugins: [
      {
        name: "binary",
        setup: ({ onResolve }) =>
          onResolve({ filter: /\.wasm$/ }, ({ path }) => ({ path: `./${basename(path)}`, external: true })),
      },
    ],
  });
  script = outputFiles[0].text;
  worker = start();
});
afterAll(() => worker?.dispose());

test("its types", async () => {
  const config = fileURLToPath(new URL("tsconfig.worker.json", import.meta.url));
  await promisify(execFile)(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-p", config]);
});

test("learns what is posted", async () => {
  const { status, body } = await post("/whole/train", { ...first, epochs: 40 });
  expect([status, body.steps]).toEqual([200, 80]);
  expect(body.before.loss).toBeGreaterThan(1);
  expect(body.after.loss).toBeLessThan(0.3);
  const { classes, logits } = (await post("/whole/predict", { x: unseen.x })).body;
  expect(classes).toEqual(unseen.y);
  expect(logits.map((row) => row.length)).toEqual(unseen.y.map(() => 3));
});

test("after a restart predicts the same, and goes on with the bits of a run without one", async () => {
  await post("/broken/train", { ...first, epochs: 40 });
  await post("/whole/train", second);
  const whole = await file("/whole");
  const before = await post("/broken/predict", { x: unseen.x });

  await restart();
  expect(await post("/broken/predict", { x: unseen.x })).toEqual(before);
  expect((await post("/broken/train", second)).body.steps).toBe(100);
  expect((await file("/broken")).equals(whole)).toBe(true);
});

test("tunes weights that Node has trained, which give the same bits here", async () => {
  const mlp = new MLP(settings.vars.LAYERS, { seed: 5 });
  const optimizer = new AdamW(mlp.params);
  for (let step = 0; step < 20; step++) {
    mlp.trainBatch(Float32Array.from(first.x.flat()).subarray(0, 4 * 64), first.y.slice(0, 64));
    optimizer.step();
  }
  const wanted = Array.from(mlp.predict(Float32Array.from(unseen.x.flat())));

  expect(await ask("/tuned", save(mlp.params, { optimizers: [optimizer] }), "PUT")).toEqual({
    status: 200,
    body: { steps: 0 },
  });
  await restart();
  expect((await post("/tuned/predict", { x: unseen.x })).body.logits.flat()).toEqual(wanted);
  const { steps, before, after } = (await post("/tuned/train", first)).body;
  expect(steps).toBe(20);
  expect(after.loss).toBeLessThan(before.loss);
});

test("fine-tunes the last layer of weights from Node, and leaves the first as it is", async () => {
  const mlp = new MLP(settings.vars.LAYERS, { seed: 6 });
  await ask("/fine", save(mlp.params), "PUT");
  const { body } = await post("/fine/train", { ...first, layers: 1, epochs: 30 });
  expect(body.after.loss).toBeLessThan(body.before.loss);
  const { tensors } = read(await file("/fine"));
  const sameAs = (name) =>
    Buffer.from(tensors[name].bytes).equals(Buffer.from(Float32Array.from(mlp.params.data[name]).buffer));
  expect(["0.weight", "0.bias", "2.weight", "2.bias"].map(sameAs)).toEqual([true, true, false, false]);
});

test("keeps a network that is larger than a value of the storage may be", async () => {
  const layers = { LAYERS: [4, 512, 512, 3] };
  await restart(layers);
  await post("/large/train", { ...first, epochs: 1 });
  const large = await file("/large");
  expect(large.length).toBeGreaterThan(2 ** 21);
  await restart(layers);
  expect((await file("/large")).equals(large)).toBe(true);
});

describe("refuses what does not fit, and stays as it is", () => {
  beforeAll(() => restart());
  const x = ["1000", "0100", "0010"].map((row) => Array.from(row, Number));
  const y = [0, 1, 2];
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const cases = [
    ["train", "{", /^expected a JSON object$/],
    ["train", "[]", /^expected a JSON object$/],
    ["train", { y }, /^"x" expected 1 to 1000 rows$/],
    ["train", { x: [], y: [] }, /^"x" expected 1 to 1000 rows$/],
    ["train", { x: [x[0], x[1], [1, 2, 3]], y }, /^"x\[2\]" expected 4 numbers in \[-1000, 1000\], got \[1,2,3\]$/],
    ["train", { x: [x[0], x[1], [1, 2, 3, 1e9]], y }, /^"x\[2\]" expected 4 numbers/],
    ["train", { x: [x[0], x[1], [1, 2, 3, null]], y }, /^"x\[2\]" expected 4 numbers/],
    ["train", { x }, /^"y" expected 3 classes/],
    ["train", { x, y: [0, 1] }, /^"y" expected 3 classes/],
    ["train", { x, y: "012" }, /^"y" expected 3 classes/],
    ["train", { x, y: [0, 1, 3] }, /^"y\[2\]" expected a whole number in \[0, 2\], got 3$/],
    ["train", { x, y, epochs: 0 }, /^"epochs" expected a whole number in \[1, 100\], got 0$/],
    ["train", { x, y, layers: 3 }, /^"layers" expected a whole number in \[1, 2\], got 3$/],
    ["train", { x, y, epochs: null }, /^"epochs" expected .* got null$/],
    ["train", `{ "x": [${deep}], "y": [0] }`, /^"x\[0\]" expected 4 numbers/],
    ["train", JSON.stringify({ x, y }).replace("[0,1,2]", deep), /^"y" expected 3 classes/],
    ["train", JSON.stringify({ x, y }).replace("[0,1,2]", `[0,1,${deep}]`), /^"y\[2\]" expected a whole number/],
    ["train", JSON.stringify({ x, y, epochs: 9 }).replace(":9", `:${deep}`), /^"epochs" expected/],
    ["train", deep, /^expected a JSON object$/],
    ["train", { x, y, epochs: "9" }, /^"epochs" expected .* got "9"$/],
    ["predict", { x: [["1", 2, 3, 4]] }, /^"x\[0\]" expected 4 numbers .* got \["1",2,3,4\]$/],
    ["predict", {}, /^"x" expected 1 to 1000 rows$/],
  ];
  test.each(cases)("%s, case %#", async (action, value, message) => {
    const before = await file("/whole");
    const body = typeof value === "string" ? value : JSON.stringify(value);
    expect(await ask(`/whole/${action}`, body)).toEqual({
      status: 400,
      body: { error: expect.stringMatching(message) },
    });
    expect((await file("/whole")).equals(before)).toBe(true);
  });

  test("a checkpoint that is damaged, of another network, not finite", async () => {
    const whole = await file("/whole");
    const damaged = Buffer.from(whole);
    damaged[damaged.length - 1] ^= 1;
    const other = save(new MLP([4, 8, 3]).params);
    const { params } = new MLP(settings.vars.LAYERS);
    params.data["2.bias"][1] = NaN;
    const large = new MLP(settings.vars.LAYERS).params;
    large.data["0.weight"][0] = 1e38;
    for (const [bytes, message] of [
      [damaged, /^load: .*checksum/],
      [other, /^load: "0\.weight" /],
      [new Uint8Array(), /^load: /],
      [save(params), /^expected weights in \[-1000, 1000\]$/],
      [save(large), /^expected weights in \[-1000, 1000\]$/],
    ]) {
      const { status, body } = await ask("/whole", bytes, "PUT");
      expect([status, body.error]).toEqual([400, expect.stringMatching(message)]);
    }
    expect((await file("/whole")).equals(whole)).toBe(true);
  });

  test("another page, another method", async () => {
    expect((await post("/whole/dance", first)).status).toBe(404);
    expect((await post("/a b/train", first)).status).toBe(404);
    expect((await ask("/whole/train", undefined, "GET")).status).toBe(405);
  });
});
