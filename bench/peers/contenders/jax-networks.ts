// The convolutional net and the GPT in jax-js: loss, gradients and all updates as one jit.
import { type Array as JaxArray, blockUntilReady, jit, lax, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { type Contender, hyper } from "../contender.ts";
import { type Model, cnn, gpt, inputsFirst, startOf, units } from "../models.ts";
import { adamWith, number } from "./jax-updates.ts";

// jax-js's dotProductAttention calls map and filter of iterators, which Node has from version 22 on.
const iterators = Object.getPrototypeOf(Object.getPrototypeOf([].values())) as Record<string, unknown>;
iterators.map ??= function* <T, U>(this: Iterable<T>, each: (value: T) => U) {
  for (const value of this) yield each(value);
};
iterators.filter ??= function* <T>(this: Iterable<T>, keeps: (value: T) => boolean) {
  for (const value of this) if (keeps(value)) yield value;
};

const ONE_HOT = "its embedding is a product with one-hot rows, since jit takes no gradient of a look-up";

type Params = Record<string, JaxArray>;
type Logits = (params: Params, x: JaxArray) => JaxArray;

const dense = (params: Params, name: string, x: JaxArray): JaxArray =>
  np.matmul(x, params[`${name}.weight`]).add(params[`${name}.bias`]);

const convolve = (params: Params, name: string, x: JaxArray): JaxArray => {
  const bias = params[`${name}.bias`];
  const y = lax.convGeneralDilated(x, params[`${name}.weight`], [1, 1], "SAME").add(bias.reshape([-1, 1, 1]));
  const [rows, channels, height, width] = y.shape;
  // As fast as lax.reduceWindow, or faster.
  return np.max(nn.relu(y).reshape([rows, channels, height / 2, 2, width / 2, 2]), [3, 5]);
};

const cnnLogits: Logits = (params, x) => {
  const features = convolve(params, "conv2", convolve(params, "conv1", x));
  return dense(params, "fc", features.reshape([cnn.batch, -1]));
};

const norm = (params: Params, name: string, x: JaxArray): JaxArray => {
  const centred = x.ref.sub(np.mean(x, -1, { keepdims: true }));
  const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
  return centred
    .div(np.sqrt(variance.add(1e-5)))
    .mul(params[`${name}.weight`])
    .add(params[`${name}.bias`]);
};

const gptLogits: Logits = (params, tokensIn) => {
  const { batch, tokens, words, width, heads, blocks } = gpt;
  const embedded = np.matmul(nn.oneHot(tokensIn, words), params["wte.weight"]).reshape([batch, tokens, width]);
  let x = embedded.add(params["wpe.weight"]).reshape([batch * tokens, width]);
  for (let i = 0; i < blocks; i++) {
    const attn = `h${i}.attn`;
    const projected = np
      .matmul(norm(params, `h${i}.ln1`, x.ref), params[`${attn}.in_proj_weight`])
      .add(params[`${attn}.in_proj_bias`]);
    const [query, key, value] = np
      .split(projected, 3, 1)
      .map((part) => part.reshape([batch, tokens, heads, width / heads]));
    const mixed = nn.dotProductAttention(query, key, value, { isCausal: true }).reshape([batch * tokens, width]);
    x = x.add(dense(params, `${attn}.out_proj`, mixed));
    const inner = nn.gelu(dense(params, `h${i}.fc`, norm(params, `h${i}.ln2`, x.ref)), { approximate: true });
    x = x.add(dense(params, `h${i}.out`, inner));
  }
  return np.matmul(norm(params, "ln", x), params["head.weight"]);
};

const forms: Readonly<Record<Model, { logits: Logits; classes: number; input: (x: JaxArray) => JaxArray }>> = {
  cnn: { logits: cnnLogits, classes: cnn.classes, input: (x) => x.reshape([cnn.batch, 1, cnn.side, cnn.side]) },
  gpt: { logits: gptLogits, classes: gpt.words, input: (x) => x },
};

export const network: NonNullable<Contender["network"]> = (model) => {
  const { lr, beta1, beta2 } = hyper;
  const { logits, classes, input } = forms[model];
  const start = Object.entries(inputsFirst(startOf(model)));
  const make = (array: (data: Float32Array<ArrayBuffer>) => JaxArray): Params =>
    Object.fromEntries(start.map(([name, { data, shape }]) => [name, array(data).reshape([...shape])]));
  let params = make((data) => np.array(data));
  let [m, v] = [0, 1].map(() => make((data) => np.array(new Float32Array(data.length))));

  const loss = (params: Params, x: JaxArray, y: JaxArray): JaxArray =>
    nn
      .logSoftmax(logits(params, x), -1)
      .mul(nn.oneHot(y, classes))
      .sum()
      .mul(-1 / units[model]);
  const update = adamWith(0);
  const trained = jit(
    (params: Params, m: Params, v: Params, x: JaxArray, y: JaxArray, rate: JaxArray, scale: JaxArray) => {
      const [value, gradients] = valueAndGrad(loss)(tree.ref(params), x, y);
      const next: [Params, Params, Params] = [{}, {}, {}];
      for (const name of Object.keys(params)) {
        const results = update(params[name], gradients[name], [m[name], v[name]], rate.ref, scale.ref);
        results.forEach((result, i) => (next[i][name] = result));
      }
      rate.dispose();
      scale.dispose();
      return [value, ...next] as [JaxArray, Params, Params, Params];
    },
  );
  let t = 0;
  return {
    ...(model === "gpt" ? { note: ONE_HOT } : {}),
    async step({ x, y }) {
      t++;
      const rate = number(lr / (1 - beta1 ** t));
      const scale = number(1 / Math.sqrt(1 - beta2 ** t));
      let value: JaxArray;
      [value, params, m, v] = trained(params, m, v, input(np.array(x)), np.array(y), rate, scale);
      await blockUntilReady(tree.ref(params));
      return (await value.data())[0];
    },
  };
};
