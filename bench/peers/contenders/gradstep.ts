import { Adam, AdamW, ParameterDict, SGD, type StepOptimizer } from "../../../dist/index.js";
import { MLP, type MLPOptions, type NetworkOptions } from "../../../dist/nn/index.js";
import {
  BATCH,
  type Contender,
  type Net,
  type Rule,
  type Start,
  type Training,
  hyper,
  largest,
  sizes,
} from "../contender.ts";
import { fill, streams } from "../fill.ts";
import { type Model, makeNetwork } from "../models.ts";

const { lr, sgdLr, momentum, beta1, beta2, eps, weightDecay } = hyper;

const optimizers: Record<Rule, (params: ParameterDict) => StepOptimizer> = {
  adam: (params) => new Adam(params, { lr, betas: [beta1, beta2], eps }),
  adamw: (params) => new AdamW(params, { lr, betas: [beta1, beta2], eps, weightDecay }),
  sgd: (params) => new SGD(params, { lr: sgdLr }),
  momentum: (params) => new SGD(params, { lr: sgdLr, momentum }),
};

function net(start: Start, options: MLPOptions): Net | string {
  let mlp: MLP;
  try {
    mlp = new MLP([...sizes], { batchSize: BATCH, ...options });
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
  mlp.params.assign({ "0.weight": start.w1, "0.bias": start.b1, "2.weight": start.w2, "2.bias": start.b2 });
  const optimizer = new Adam(mlp.params, { lr });
  return {
    train(x, y) {
      mlp.trainBatch(x, y);
      optimizer.step();
    },
    predict: (x) => largest(mlp.predict(x), sizes[2]),
  };
}

function training(model: Model, options: NetworkOptions): Training {
  const network = makeNetwork[model](options);
  const optimizer = new Adam(network.params, { lr, betas: [beta1, beta2], eps });
  return {
    step({ x, y }) {
      const loss = network.trainBatch(x, y);
      optimizer.step();
      return loss;
    },
  };
}

const make = (options: NetworkOptions): Contender => ({
  steps(rule, { count, length }) {
    const names = Array.from({ length: count }, (_, i) => `t${i}`);
    const params = new ParameterDict(Object.fromEntries(names.map((name) => [name, [length]])));
    names.forEach((name, i) => {
      fill(params.data[name], streams(i).p);
      fill(params.grad[name], streams(i).g);
    });
    const optimizer = optimizers[rule](params);
    return {
      step: () => void optimizer.step(),
      values: () => params.data.t0.slice(0, 16),
      dispose() {
        optimizer.dispose();
        params.dispose();
      },
    };
  },
  net: (start) => net(start, options),
  network: (model) => training(model, options),
});

export const gradstep = make({});
/** Every product computed in full, as the other libraries do. */
export const dense = make({ skipZeros: false });
