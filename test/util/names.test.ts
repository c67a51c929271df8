// Wrong names of options, values, tensors and calls, each answered with the right one.
import "@tensorflow/tfjs-backend-cpu";
import { expect, test } from "vitest";
import * as gradstep from "../../src/index.js";
import { load, save } from "../../src/checkpoint/index.js";
import { MLP } from "../../src/nn/index.js";
import * as schedule from "../../src/schedule/index.js";
import { GradstepOptimizer } from "../../src/tfjs/index.js";

const { Adam, AdamW, Lookahead, ParameterDict, SGD, WeightAverage, WeightEma, clipGradNorm } = gradstep;
const make = () => new ParameterDict({ "fc1.weight": [4, 3], "fc1.bias": [4] }, { capacity: 2 ** 20 });
const adam = () => new Adam(make());

/** An option given to a class, and the right name. */
const options: readonly (readonly [where: string, option: string, right: string])[] = [
  ...["learning_rate", "learningRate", "LR", "rate", "lrr"].map((name) => ["AdamW", name, "lr"] as const),
  ...["weight_decay", "weightdecay", "wd", "l2", "wieghtDecay"].map((name) => ["SGD", name, "weightDecay"] as const),
  ...["beta1", "beta_1", "beta2", "beta_2", "b1", "beta"].map((name) => ["Adam", name, "betas"] as const),
  ...["epsilon", "Epsilon", "esp"].map((name) => ["AdamW", name, "eps"] as const),
  ["AdamW", "amsGrad", "amsgrad"],
  ["Adam", "ams_grad", "amsgrad"],
  ["Adam", "state_format", "stateFormat"],
  ["Adam", "dtype", "stateFormat"],
  ["Adam", "non_finite", "nonFinite"],
  ["Adam", "param_groups", "groups"],
  ["SGD", "mommentum", "momentum"],
  ["SGD", "Nesterov", "nesterov"],
  ["SGD", "dampning", "dampening"],
  ["RMSprop", "rho", "alpha"],
  ["RMSprop", "decay", "alpha"],
  ["Adadelta", "decay", "rho"],
  ["Adagrad", "initial_accumulator_value", "initialAccumulatorValue"],
  ["Adagrad", "lr_decay", "lrDecay"],
  ["Adagrad", "decay", "lrDecay"],
  ["NAdam", "momentum_decay", "momentumDecay"],
  ["NAdam", "schedule_decay", "momentumDecay"],
  ["NAdam", "decoupled_weight_decay", "decoupledWeightDecay"],
  ["ASGD", "lambda", "lambd"],
  ["Ftrl", "l1_regularization_strength", "l1"],
  ["LBFGS", "max_iter", "maxIter"],
  ["LBFGS", "line_search_fn", "lineSearch"],
  ["LBFGS", "tolerance_grad", "toleranceGrad"],
  ["LBFGS", "history_size", "historySize"],
  ["Adafactor", "decay_rate", "beta2Decay"],
  ["Adafactor", "clip_threshold", "d"],
  ["Muon", "ns_steps", "nsSteps"],
  ["LARS", "trust_coefficient", "trustCoefficient"],
  ["StepLR", "step_size", "stepSize"],
  ["StepLR", "decayRate", "gamma"],
  ["ExponentialLR", "decay_rate", "gamma"],
  ["CosineAnnealingLR", "T_max", "tMax"],
  ["CosineAnnealingLR", "eta_min", "etaMin"],
  ["CosineAnnealingLR", "decay_steps", "tMax"],
  ["CosineAnnealingWarmRestarts", "T_0", "t0"],
  ["CosineAnnealingWarmRestarts", "T_mult", "tMult"],
  ["LambdaLR", "lr_lambda", "lrLambda"],
  ["LinearLR", "start_factor", "startFactor"],
  ["LinearLR", "total_iters", "totalIters"],
  ["OneCycleLR", "max_lr", "maxLr"],
  ["OneCycleLR", "total_steps", "totalSteps"],
  ["ReduceLROnPlateau", "min_lr", "minLr"],
  ["ReduceLROnPlateau", "min_delta", "threshold"],
  ["MultiStepLR", "last_epoch", "lastEpoch"],
];

test.each(options)("%s: %s is %s", async (where, option, right) => {
  type Maker = new (target: unknown, options: object) => unknown;
  const inSchedule = where in schedule;
  const Class = (inSchedule ? schedule : gradstep)[where as never] as Maker;
  await refused(
    () => new Class(inSchedule ? adam() : make(), { [option]: 1 }),
    RangeError,
    `${where}: unknown option "${option}"; did you mean "${right}"? The options are`,
  );
});

const optimizer = adam();
const params = make();
const mlp = new MLP([4, 2], { batchSize: 4 });
const stepLR = new schedule.StepLR(optimizer, { stepSize: 1 });
const plateau = new schedule.ReduceLROnPlateau(optimizer);
const ema = new WeightEma(params);
const tfjs = new GradstepOptimizer("adam");
const any = (value: unknown) => value as never;
const methods = (value: unknown) => value as Record<string, (...args: unknown[]) => unknown>;

const calls: readonly [call: () => unknown, error: new () => Error, message: string][] = [
  // Options of calls
  [() => optimizer.step(any({ clip_norm: 1 })), RangeError, 'did you mean "clipNorm"?'],
  [() => optimizer.step(any({ clipGradNorm: 1 })), RangeError, 'did you mean "clipNorm"?'],
  [() => optimizer.step(any({ set_to_none: true })), RangeError, 'did you mean "zeroGrad"?'],
  [() => clipGradNorm(params, 1, any({ norm_type: 1 })), RangeError, 'did you mean "normType"?'],
  [() => clipGradNorm(params, 1, any({ p: 1 })), RangeError, 'did you mean "normType"?'],
  [() => clipGradNorm(params, 1, any({ error_if_nonfinite: true })), RangeError, 'did you mean "errorIfNonFinite"?'],
  [() => new WeightEma(params, any({ momentum: 0.9 })), RangeError, 'did you mean "decay"?'],
  [() => new WeightAverage(params, any({ decay: 0.9 })), RangeError, 'unknown option "decay". The options are none'],
  [() => new Lookahead(optimizer, any({ sync_period: 5 })), RangeError, 'did you mean "k"?'],
  [() => new Lookahead(optimizer, any({ slow_step_size: 0.5 })), RangeError, 'did you mean "alpha"?'],
  [() => save(params, any({ optimizer })), RangeError, 'did you mean "optimizers"?'],
  [() => save(params, any({ optimizers: optimizer })), TypeError, "such as [optimizer]"],
  [() => load(save(params), params, any({ optimizer })), RangeError, 'did you mean "optimizers"?'],
  [() => new ParameterDict({ w: [1] }, any({ slot: 1 })), RangeError, 'did you mean "slots"?'],
  [() => new gradstep.Arena(any({ size: 1 })), RangeError, 'did you mean "capacity"?'],
  [() => new MLP([4, 2], any({ batch_size: 1 })), RangeError, 'did you mean "batchSize"?'],
  [() => new GradstepOptimizer("adam", any({ learningRate: 1 })), RangeError, 'did you mean "lr"?'],
  [() => new GradstepOptimizer("sgd", any({ clipvalue: 1 })), RangeError, "unknown option"],
  [
    () => new AdamW(make(), any({ groups: [{ params: /bias/, weight_decay: 0 }] })),
    RangeError,
    '"groups[0].weight_decay"; did you mean "weightDecay"?',
  ],
  [
    () => ((optimizer.paramGroups[0] as never as { learning_rate: 1 }).learning_rate = 1),
    RangeError,
    '"paramGroups[0].learning_rate"; did you mean "lr"?',
  ],
  // Values
  [() => new Adam(make(), { dialect: any("pytorch") }), RangeError, 'did you mean "torch"?'],
  [() => new Adam(make(), { dialect: any("tensorflow") }), RangeError, 'did you mean "keras"?'],
  [() => new Adam(make(), { stateFormat: any("bf16") }), RangeError, 'did you mean "bfloat16"?'],
  [() => new Adam(make(), { stateFormat: any("int8") }), RangeError, 'did you mean "8bit"?'],
  [() => new Adam(make(), { nonFinite: any("error") }), RangeError, 'did you mean "throw"?'],
  [() => new MLP([4, 2], { activation: any("ReLU") }), RangeError, 'did you mean "relu"?'],
  [() => new MLP([4, 2], { loss: any("cross_entropy") }), RangeError, 'did you mean "cross-entropy"?'],
  [() => new schedule.ReduceLROnPlateau(optimizer, { mode: any("Min") }), RangeError, 'did you mean "min"?'],
  [() => new GradstepOptimizer(any("AdamW")), RangeError, 'did you mean "adamw"?'],
  // Tensors
  [() => optimizer.state("fc1_weight"), RangeError, 'did you mean "fc1.weight"?'],
  [() => optimizer.step({ skip: ["fc1.baïs"] }), RangeError, 'did you mean "fc1.bias"?'],
  [() => optimizer.step({ rows: { "fc1.wieght": [0] } }), RangeError, 'did you mean "fc1.weight"?'],
  [() => params.subset(any(["fc1.Bias"])), RangeError, 'did you mean "fc1.bias"?'],
  [() => params.assign(any({ bias1: [1] })), RangeError, 'one of the tensors "fc1.weight", "fc1.bias", got "bias1"'],
  [
    () => new SGD(make(), { groups: [{ params: ["fc1/bias" as never], lr: 1 }] }),
    RangeError,
    'did you mean "fc1.bias"?',
  ],
  // What an object has under another name
  ...(["lr", "learningRate", "learning_rate", "setLearningRate"] as const).map(
    (name): [() => unknown, new () => Error, string] => [
      () => ((optimizer as never as Record<string, unknown>)[name] = 1),
      TypeError,
      `Adam: no "${name}": use paramGroups[0].lr`,
    ],
  ),
  ...Object.entries({
    zero_grad: "zeroGrad()",
    state_dict: "stateDict()",
    load_state_dict: "loadStateDict()",
    param_groups: "paramGroups",
    add_param_group: "addParamGroup()",
    weight_decay: "paramGroups[0].weightDecay",
    applyGradients: "step()",
    minimize: "step()",
  }).map(([name, use]) => read(optimizer, `Adam: no "${name}": use ${use}`, name)),
  read(new Lookahead(optimizer), 'Lookahead: no "lr": use paramGroups[0].lr', "lr"),
  read(params, 'ParameterDict: no "state_dict": use copy()', "state_dict"),
  read(params, 'ParameterDict: no "loadStateDict": use assign()', "loadStateDict"),
  read(params, 'ParameterDict: no "zero_grad": use zeroGrad()', "zero_grad"),
  read(params, 'ParameterDict: no "parameters": use data', "parameters"),
  read(stepLR, 'StepLR: no "get_last_lr": use lastLr', "get_last_lr"),
  read(stepLR, 'StepLR: no "state_dict": use stateDict()', "state_dict"),
  read(plateau, 'ReduceLROnPlateau: no "get_last_lr": use lastLr', "get_last_lr"),
  read(ema, 'WeightEma: no "update_parameters": use update()', "update_parameters"),
  read(tfjs, 'GradstepOptimizer: no "lr": use learningRate', "lr"),
  // Arguments
  [() => new Adam(any([params.data["fc1.bias"]])), TypeError, "make one with new ParameterDict({ name: shape })"],
  [() => new Adam(any({ lr: 0.1 })), TypeError, "make one with new ParameterDict({ name: shape })"],
  [() => new Adam(any(0.001)), TypeError, "make one with new ParameterDict({ name: shape })"],
  [() => new Adam(any(mlp)), TypeError, "pass mlp.params"],
  // Networks
  [
    () => new MLP([4, 2], { loss: any("sparse_categorical_crossentropy") }),
    RangeError,
    'did you mean "cross-entropy"?',
  ],
  [() => new MLP([4, 2], { loss: any("meanSquaredError") }), RangeError, 'did you mean "mse"?'],
  [() => new MLP([4, 2], { loss: any("BCEWithLogitsLoss") }), RangeError, 'did you mean "binary-cross-entropy"?'],
  [() => new MLP([4, 2], any({ label_smoothing: 0.1 })), RangeError, 'did you mean "labelSmoothing"?'],
  [
    () => new MLP([4, 2], any({ optimizer: "adam" })),
    RangeError,
    'MLP: unknown option "optimizer": use fit(). The options are ',
  ],
  [() => mlp.fit([], [], any({ optimizer, validation_split: 0.1 })), RangeError, 'did you mean "validation"?'],
  [() => mlp.fit([], [], any({ optimizer, callbacks: [] })), RangeError, 'did you mean "onEpoch"?'],
  [() => mlp.fit([], [], any({ optimizer, batch_size: 8 })), RangeError, 'did you mean "batchSize"?'],
  [
    () => methods(mlp).compile({ optimizer: "adam" }),
    TypeError,
    'MLP: no "compile": use the options of the constructor, and fit({ optimizer })',
  ],
  [() => methods(mlp).state_dict(), TypeError, "use save(network) of gradstep/checkpoint"],
  [() => methods(mlp).parameters(), TypeError, "use params"],
  [() => methods(mlp).zero_grad(), TypeError, "use params.zeroGrad()"],
  [() => methods(mlp).trainOnBatch([], []), TypeError, "use trainBatch()"],
  [() => new Adam(make(), any(0.001)), TypeError, "an object, such as { lr: 0.001 }, got 0.001"],
  [() => (Adam as never as (params: unknown) => unknown)(params), TypeError, "without 'new'"],
  [
    () => new Adam(make(), any({ groups: [{ params: "fc1.bias" }] })),
    TypeError,
    "an array of tensor names, a RegExp or a function",
  ],
];

function read(object: object, message: string, name: string): [() => unknown, new () => Error, string] {
  return [() => (object as Record<string, unknown>)[name], TypeError, message];
}

test.each(calls.map(([call, error, message], i) => [i, message, call, error] as const))(
  "call %i: %s",
  async (_, message, call, error) => {
    await refused(call, error, message);
  },
);

async function refused(call: () => unknown, error: new () => Error, message: string): Promise<void> {
  let thrown: unknown;
  try {
    await call();
  } catch (e) {
    thrown = e;
  }
  expect(thrown).toBeInstanceOf(error);
  expect((thrown as Error).message).toContain(message);
  expect((thrown as Error).message.length).toBeLessThanOrEqual(400);
}

test("nothing is guessed from names that are far off, however long", () => {
  for (const name of ["q", "zz", "banana", "__proto__x", "constructor", "x".repeat(5000)])
    expect(() => new Adam(make(), { [name]: 1 })).toThrow(/^Adam: unknown option ".*"\. The options are lr, /);
  const long = new ParameterDict(
    Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${"layer.".repeat(20)}${i}`, [1]])),
  );
  const message = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  const text = message(() => long.subset([`${"layer.".repeat(20)}100`]));
  expect(text).toMatch(/did you mean/);
  expect(text.length).toBeLessThanOrEqual(400);
});
