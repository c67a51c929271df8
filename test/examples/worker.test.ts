// The Worker's object in Node, with a storage in memory: bad requests. test/platform runs all of it in workerd.
import { afterEach, expect, test, vi } from "vitest";
import { AdamW } from "gradstep";
import { read, save } from "gradstep/checkpoint";
import { MLP } from "gradstep/nn";

vi.mock("cloudflare:workers", () => ({
  DurableObject: class {
    constructor(
      readonly ctx: unknown,
      readonly env: unknown,
    ) {}
  },
}));
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-assertion -- hides workerd's types from tsc
const { Model } = (await import("../../examples/worker/worker.js" as string)) as {
  Model: new (ctx: object, env: object) => { fetch(request: Request): Promise<Response> };
};

const LAYERS = [4, 16, 3];
const stored = new Map<string, unknown>();
const storage = {
  put: (entries: object) => {
    for (const [key, value] of Object.entries(entries)) stored.set(key, value);
    return Promise.resolve();
  },
  get: (key: string | string[]) =>
    Promise.resolve(Array.isArray(key) ? new Map(key.map((k) => [k, stored.get(k)])) : stored.get(key)),
};
const start = (layers = LAYERS) =>
  new Model({ storage, blockConcurrencyWhile: (work: () => Promise<void>) => work() }, { LAYERS: layers });
afterEach(() => stored.clear());

const x = [0, 1, 2].map((label) => [0, 1, 2, 3].map((i) => Number(i === label)));
const y = [0, 1, 2];
const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
const put = (values: (mlp: MLP) => void, layers = LAYERS): Uint8Array<ArrayBuffer> => {
  const mlp = new MLP(layers);
  values(mlp);
  return save(mlp.params, { optimizers: [new AdamW(mlp.params)] }) as Uint8Array<ArrayBuffer>;
};
const bad: [what: string, method: string, path: string, body: string | Uint8Array<ArrayBuffer>, message: RegExp][] = [
  ["no JSON", "POST", "train", "{", /^expected a JSON object$/],
  ["a list", "POST", "train", "[]", /^expected a JSON object$/],
  ["a deep list", "POST", "train", deep, /^expected a JSON object$/],
  ["a deep row", "POST", "train", `{"x":[${deep}],"y":[0]}`, /^"x\[0\]" expected 4 numbers .* nested too deep/],
  ["a deep number", "POST", "predict", `{"x":[[1,2,3,${deep}]]}`, /^"x\[0\]" expected 4 numbers/],
  ["deep labels", "POST", "train", `{"x":${JSON.stringify(x)},"y":${deep}}`, /^"y" expected 3 classes/],
  [
    "a deep label",
    "POST",
    "train",
    `{"x":${JSON.stringify(x)},"y":[0,1,${deep}]}`,
    /^"y\[2\]" expected a whole number/,
  ],
  ["deep epochs", "POST", "train", `{"x":${JSON.stringify(x)},"y":[0,1,2],"epochs":${deep}}`, /^"epochs" expected/],
  ["no epochs", "POST", "train", JSON.stringify({ x, y, epochs: null }), /^"epochs" expected .* got null$/],
  ["labels as text", "POST", "train", JSON.stringify({ x, y: ["0", "1", "2"] }), /^"y\[0\]" expected a whole number/],
  [
    "no layers",
    "POST",
    "train",
    JSON.stringify({ x, y, layers: 0 }),
    /^"layers" expected a whole number in \[1, 2\], got 0/,
  ],
  ["three layers of two", "POST", "train", JSON.stringify({ x, y, layers: 3 }), /^"layers" expected/],
  ["layers as text", "POST", "train", JSON.stringify({ x, y, layers: "1" }), /^"layers" expected .* got "1"$/],
  ["an infinite input", "POST", "train", '{"x":[[1e999,0,0,0]],"y":[0]}', /^"x\[0\]" expected 4 numbers/],
  [
    "a weight of 1e38",
    "PUT",
    "",
    put((mlp) => (mlp.params.data["0.weight"][3] = 1e38)),
    /^expected weights in \[-1000/,
  ],
  ["a weight of NaN", "PUT", "", put((mlp) => (mlp.params.data["2.bias"][0] = NaN)), /^expected weights in \[-1000/],
  ["another network", "PUT", "", put(() => undefined, [4, 8, 3]), /^load: /],
  ["no checkpoint", "PUT", "", "no checkpoint", /^load: /],
];

const ask = (model: { fetch(request: Request): Promise<Response> }, method: string, path: string, body?: BodyInit) =>
  model.fetch(new Request(`http://localhost/anna${path && `/${path}`}`, { method, body: body ?? null }));
const train = (epochs = 3): string => JSON.stringify({ x, y, epochs });
const fileOf = async (model: ReturnType<typeof start>): Promise<Buffer> =>
  Buffer.from(await (await ask(model, "GET", "")).arrayBuffer());

test.each(bad)("%s is status 400 and changes nothing", async (_, method, path, body, message) => {
  const model = start();
  expect((await ask(model, "POST", "train", train())).status).toBe(200);
  const [file, kept] = [await fileOf(model), structuredClone(stored)];
  const response = await ask(model, method, path, body);
  expect(((await response.json()) as { error: string }).error).toMatch(message);
  expect(response.status).toBe(400);
  expect((await fileOf(model)).equals(file)).toBe(true);
  expect(stored).toEqual(kept);
});

test("fine-tuning moves the last layers alone, until a request wants more", async () => {
  const layers = [4, 8, 8, 3];
  const model = start(layers);
  const pretrained = put((mlp) => mlp.trainBatch(Float32Array.from(x.flat()), y), layers);
  expect((await ask(model, "PUT", "", pretrained)).status).toBe(200);
  const moved = async (body: object): Promise<{ names: string[]; steps: number; before: number; after: number }> => {
    const kept = read(await fileOf(model)).tensors;
    const response = await ask(model, "POST", "train", JSON.stringify({ x, y, epochs: 20, ...body }));
    const { steps, before, after } = (await response.json()) as Record<string, { loss: number }>;
    const tensors = read(await fileOf(model)).tensors;
    const names = Object.keys(tensors).filter(
      (name) => /^\d/.test(name) && !Buffer.from(tensors[name].bytes).equals(Buffer.from(kept[name].bytes)),
    );
    return { names: names.sort(), steps: Number(steps), before: before.loss, after: after.loss };
  };
  const head = ["4.bias", "4.weight"];
  const tuned = await moved({ layers: 1 });
  expect([tuned.names, tuned.steps]).toEqual([head, 20]);
  expect(tuned.after).toBeLessThan(tuned.before);
  expect((await moved({ layers: 2 })).names).toEqual(["2.bias", "2.weight", ...head]);
  expect(await moved({})).toMatchObject({ names: ["0.bias", "0.weight", "2.bias", "2.weight", ...head], steps: 60 });
  expect((await moved({ layers: 1 })).names).toEqual(head); // momentum of the run before does not move the others
});

test("training that leads to numbers that are not finite changes nothing", async () => {
  const layers = [4, ...Array<number>(10).fill(8), 3]; // so deep that weights and inputs of 1000 overflow
  const model = start(layers);
  const large = put((mlp) => Object.values(mlp.params.data).forEach((values) => values.fill(1000)), layers);
  expect((await ask(model, "PUT", "", large)).status).toBe(200);
  const [file, kept] = [await fileOf(model), structuredClone(stored)];
  for (const path of ["train", "predict"]) {
    const response = await ask(model, "POST", path, JSON.stringify({ x: [[1000, 1000, 1000, 1000]], y: [0] }));
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: expect.stringMatching(/not finite$/) as string },
    ]);
  }
  expect((await fileOf(model)).equals(file)).toBe(true);
  expect(stored).toEqual(kept);
});
