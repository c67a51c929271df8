// jax-js has its optimizers in @jax-js/optax, which the registry does not have: these are its updates, each one jit.
import { type Array as JaxArray, defaultDevice, grad, init, jit, nn, numpy as np, tree } from "@jax-js/jax";
import { BATCH, type Contender, type Net, type Rule, type Start, hyper, sizes } from "../contender.ts";
import { filled, streams } from "../fill.ts";

const { lr, sgdLr, momentum, beta1, beta2, eps, weightDecay } = hyper;

// Numbers that differ at each step come as arrays: a plain number would be compiled in, and every step be a new kernel.
const number = (value: number): JaxArray => np.array(new Float32Array([value]));

/** Parameters, gradient, slots; the numbers of the step. Arguments are consumed, as everywhere in jax-js. */
type Update = (p: JaxArray, g: JaxArray, slots: JaxArray[], rate: JaxArray, scale: JaxArray) => JaxArray[];

const adamWith =
  (decay: number): Update =>
  (p, g, [m, v], rate, scale) => {
    const m1 = m.mul(beta1).add(g.ref.mul(1 - beta1));
    const v1 = v.mul(beta2).add(np.square(g).mul(1 - beta2));
    const decayed = decay === 0 ? p : p.mul(1 - lr * decay);
    return [decayed.sub(m1.ref.mul(rate).div(np.sqrt(v1.ref).mul(scale).add(eps))), m1, v1];
  };

const updates: Record<Rule, { update: Update; slots: number }> = {
  adam: { update: jit(adamWith(0)), slots: 2 },
  adamw: { update: jit(adamWith(weightDecay)), slots: 2 },
  sgd: { update: jit(((p, g) => [p.sub(g.mul(sgdLr))]) as Update), slots: 0 },
  momentum: {
    update: jit(((p, g, [b]) => {
      const b1 = b.mul(momentum).add(g);
      return [p.sub(b1.ref.mul(sgdLr)), b1];
    }) as Update),
    slots: 1,
  },
};

export async function jax(): Promise<Contender> {
  await init("wasm");
  defaultDevice("wasm");
  return { steps, net };
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
