// Small networks that go on learning from what is posted to them, all of them or their last layers: README.md has the requests.
import { DurableObject } from "cloudflare:workers";
import { AdamW } from "gradstep";
import { load, save } from "gradstep/checkpoint";
import { MLP } from "gradstep/nn";
import { LIMIT, Refusal, fits, json, labels, matrix, reading, refused, whole } from "./http.js";
import { restore, store } from "./storage.js";

interface Env {
  MODELS: DurableObjectNamespace<Model>;
  LAYERS: number[];
}
const BATCH = 64;
const MOST_ROWS = 1000;
const MOST_EPOCHS = 100;

export default {
  async fetch(request, env) {
    const name = /^\/([\w-]{1,64})(\/train|\/predict)?$/.exec(new URL(request.url).pathname)?.[1];
    return name === undefined
      ? json({ error: "there is no such page" }, 404)
      : env.MODELS.getByName(name).fetch(request);
  },
} satisfies ExportedHandler<Env>;

/** A dense layer's name in the network, where activations stand between them. */
const nameOf = (layer: number): string => String(2 * layer);

/** One network and its optimizer. An object of each name lives at one place at a time, and awakes from its storage. */
export class Model extends DurableObject<Env> {
  readonly #mlp = new MLP(this.env.LAYERS, { batchSize: BATCH });
  #optimizer = new AdamW(this.#mlp.params, { lr: 0.01 });

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    void state.blockConcurrencyWhile(async () => {
      const file = await restore(state.storage);
      if (file !== undefined) load(file, this.#mlp.params, { optimizers: [this.#optimizer] });
    });
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      switch (`${request.method} ${new URL(request.url).pathname.split("/")[2] ?? ""}`) {
        case "POST train":
          return await this.#train(await reading(request.json()));
        case "POST predict":
          return this.#predict(await reading(request.json()));
        case "GET ":
          return new Response(this.#file(), { headers: { "Content-Type": "application/octet-stream" } });
        case "PUT ":
          return await this.#startFrom(new Uint8Array(await request.arrayBuffer()));
        default:
          return json({ error: "expected POST /name/train, POST /name/predict, GET /name or PUT /name" }, 405);
      }
    } catch (error) {
      if (error instanceof Refusal) return json({ error: error.message }, 400);
      throw error;
    }
  }

  /** Trains the last `layers` of the network: the others stay as they are, and cost no gradients. */
  async #train(body: Record<string, unknown>): Promise<Response> {
    const { LAYERS } = this.env;
    const [width, depth] = [LAYERS[0], LAYERS.length - 1];
    const x = matrix("x", body.x, width, MOST_ROWS);
    const y = labels("y", body.y, x.length / width, LAYERS[depth] - 1);
    const epochs = whole("epochs", body.epochs === undefined ? 10 : body.epochs, 1, MOST_EPOCHS);
    const layers = whole("layers", body.layers === undefined ? depth : body.layers, 1, depth);
    const before = this.#mlp.evaluate(x, y);
    const kept = this.#file();
    this.#mlp.unfreeze();
    if (layers < depth) this.#mlp.freeze(Array.from({ length: depth - layers }, (_, i) => nameOf(i)));
    const skip = this.#mlp.frozen; // decay and momentum would move them all the same
    for (let epoch = 0; epoch < epochs; epoch++)
      for (let row = 0; row < y.length; row += BATCH) {
        this.#mlp.trainBatch(x.subarray(row * width, (row + BATCH) * width), y.slice(row, row + BATCH));
        this.#optimizer.step({ clipNorm: 1, skip });
      }
    const after = this.#mlp.evaluate(x, y);
    if (!Number.isFinite(after.loss) || !this.#weights().every(Number.isFinite)) {
      load(kept, this.#mlp.params, { optimizers: [this.#optimizer] });
      throw new Refusal("training on these rows leads to numbers that are not finite");
    }
    await store(this.ctx.storage, this.#file());
    return json({ steps: this.#optimizer.state(`${nameOf(depth - 1)}.weight`).step, before, after });
  }

  #predict(body: Record<string, unknown>): Response {
    const x = matrix("x", body.x, this.env.LAYERS[0], MOST_ROWS);
    const logits = this.#mlp.predict(x);
    if (!logits.every(Number.isFinite)) throw new Refusal("the outputs for these rows are not finite");
    const width = this.env.LAYERS.at(-1)!;
    const rows = Array.from({ length: logits.length / width }, (_, i) => logits.subarray(i * width, (i + 1) * width));
    return json({
      classes: rows.map((row) => row.indexOf(Math.max(...row))),
      logits: rows.map((row) => Array.from(row)),
    });
  }

  /** Weights from elsewhere, such as a checkpoint of Node or PyTorch: to be tuned with a new optimizer. */
  async #startFrom(file: Uint8Array): Promise<Response> {
    const { params } = this.#mlp;
    const kept = params.copy();
    refused(() => load(file, params));
    if (!this.#weights().every(fits)) {
      params.assign(kept);
      throw new Refusal(`expected weights in [-${LIMIT}, ${LIMIT}]`);
    }
    this.#optimizer.dispose();
    this.#optimizer = new AdamW(params, { lr: 0.01 });
    await store(this.ctx.storage, this.#file());
    return json({ steps: 0 });
  }

  #weights(): number[] {
    return Object.values(this.#mlp.params.data).flatMap((values) => Array.from(values));
  }

  #file(): Uint8Array<ArrayBuffer> {
    return save(this.#mlp.params, { optimizers: [this.#optimizer] }) as Uint8Array<ArrayBuffer>;
  }
}
