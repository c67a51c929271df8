import { type Array as JaxArray, defaultDevice, grad, init, jit, nn, numpy as np, tree } from "@jax-js/jax";
import { BATCH, type Contender, type Net, type Start, hyper, sizes } from "../contender.ts";
import { filled, streams } from "../fill.ts";
import { network } from "./jax-networks.ts";
import { adamWith, number, updates } from "./jax-updates.ts";

const { lr, beta1, beta2 } = hyper;

export async function jax(): Promise<Contender> {
  await init("wasm");
  defaultDevice("wasm");
  return { steps, net, network };
}

const zeros = (length: number): JaxArray => np.array(new Float32Array(length));

const steps: Contender["steps"] = (rule, { count, length }) => {
  const { update, slots } = updates[rule];
  const tensors = Array.from({ length: count }, (_, i) => ({
    p: np.array(filled(length, streams(i).p)),
    g: np.array(filled(length, streams(i).g)),
    slots: Array.from({ length: slots }, () => zeros(length)),
  }));
  let t = 0;
  return {
    async step() {
      t++;
      const rate = number(lr / (1 - beta1 ** t));
      const scale = number(1 / Math.sqrt(1 - beta2 ** t));
      for (const tensor of tensors) {
        [tensor.p, ...tensor.slots] = update(tensor.p, tensor.g.ref, tensor.slots, rate.ref, scale.ref);
        await tensor.p.blockUntilReady();
      }
      rate.dispose();
      scale.dispose();
    },
    values: () => tensors[0].p.ref.dataSync().slice(0, 16),
    dispose() {
      for (const { p, g, slots } of tensors) for (const array of [p, g, ...slots]) array.dispose();
    },
  };
};

const [inputs, hidden, outputs] = sizes;

type Params = { w1: JaxArray; b1: JaxArray; w2: JaxArray; b2: JaxArray };
type Key = keyof Params;
const keys: Key[] = ["w1", "b1", "w2", "b2"];

function logits({ w1, b1, w2, b2 }: Params, x: JaxArray): JaxArray {
  const h = nn.relu(np.matmul(x, np.transpose(w1)).add(b1));
  return np.matmul(h, np.transpose(w2)).add(b2);
}

const loss = (params: Params, x: JaxArray, y: JaxArray): JaxArray =>
  nn
    .logSoftmax(logits(params, x))
    .mul(nn.oneHot(y, outputs))
    .sum()
    .mul(-1 / BATCH);

const predicted = jit((params: Params, x: JaxArray) => np.argmax(logits(params, x), 1));

/** Loss, gradients and all updates as one jit. */
const trained = jit(
  (params: Params, m: Params, v: Params, x: JaxArray, y: JaxArray, rate: JaxArray, scale: JaxArray) => {
    const gradients = grad(loss)(tree.ref(params), x, y);
    const results = keys.map((key) => adamWith(0)(params[key], gradients[key], [m[key], v[key]], rate.ref, scale.ref));
    rate.dispose();
    scale.dispose();
    return [0, 1, 2].map((k) => Object.fromEntries(keys.map((key, i) => [key, results[i][k]])) as Params);
  },
);

function net(start: Start): Net {
  const shapes = { w1: [hidden, inputs], b1: [hidden], w2: [outputs, hidden], b2: [outputs] };
  const each = (make: (key: Key) => JaxArray): Params => ({
    w1: make("w1"),
    b1: make("b1"),
    w2: make("w2"),
    b2: make("b2"),
  });
  let params = each((key) => np.array(start[key]).reshape(shapes[key]));
  let [m, v] = [0, 1].map(() => each((key) => zeros(start[key].length).reshape(shapes[key])));
  let t = 0;
  return {
    async train(data, labels) {
      t++;
      const x = np.array(data).reshape([labels.length, inputs]);
      const y = np.array(Int32Array.from(labels));
      const rate = number(lr / (1 - beta1 ** t));
      const scale = number(1 / Math.sqrt(1 - beta2 ** t));
      [params, m, v] = trained(params, m, v, x, y, rate, scale);
      await params.w1.blockUntilReady();
    },
    predict: (data, rows) => predicted(tree.ref(params), np.array(data).reshape([rows, inputs])).data(),
  };
}
