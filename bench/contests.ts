import type * as gradstep from "gradstep";
import * as loops from "./loops.js";
import * as norms from "./norms.js";

/** gradstep, of this checkout or of another. */
export type Library = typeof gradstep;

export interface Contest {
  name: string;
  make: (library: Library, params: gradstep.ParameterDict) => gradstep.StepOptimizer;
  loop: loops.Loop;
  /** State buffers; a step reads parameters, gradient and these, and writes all but the gradient. */
  slots: number;
}

export const contests: Contest[] = [
  { name: "SGD", make: (lib, p) => new lib.SGD(p, { lr: 0.01 }), loop: loops.sgd, slots: 0 },
  { name: "momentum", make: (lib, p) => new lib.SGD(p, { lr: 0.01, momentum: 0.9 }), loop: loops.momentum, slots: 1 },
  {
    name: "Nesterov",
    make: (lib, p) => new lib.SGD(p, { lr: 0.01, momentum: 0.9, nesterov: true }),
    loop: loops.nesterov,
    slots: 1,
  },
  { name: "Adagrad", make: (lib, p) => new lib.Adagrad(p), loop: loops.adagrad, slots: 1 },
  { name: "Adadelta", make: (lib, p) => new lib.Adadelta(p), loop: loops.adadelta, slots: 2 },
  { name: "RMSprop", make: (lib, p) => new lib.RMSprop(p), loop: loops.rmsprop, slots: 1 },
  { name: "Adam", make: (lib, p) => new lib.Adam(p), loop: loops.adam, slots: 2 },
  { name: "AdamW", make: (lib, p) => new lib.AdamW(p), loop: loops.adamw, slots: 2 },
  { name: "NAdam", make: (lib, p) => new lib.NAdam(p), loop: loops.nadam, slots: 2 },
  { name: "Adamax", make: (lib, p) => new lib.Adamax(p), loop: loops.adamax, slots: 2 },
  { name: "RAdam", make: (lib, p) => new lib.RAdam(p), loop: loops.radam, slots: 2 },
  { name: "ASGD", make: (lib, p) => new lib.ASGD(p), loop: loops.asgd, slots: 1 },
  { name: "Rprop", make: (lib, p) => new lib.Rprop(p), loop: loops.rprop, slots: 2 },
  { name: "Lion", make: (lib, p) => new lib.Lion(p), loop: loops.lion, slots: 1 },
  { name: "AdaBelief", make: (lib, p) => new lib.AdaBelief(p), loop: loops.adabelief, slots: 2 },
  { name: "Yogi", make: (lib, p) => new lib.Yogi(p), loop: loops.yogi, slots: 2 },
  { name: "Adan", make: (lib, p) => new lib.Adan(p), loop: loops.adan, slots: 4 },
  { name: "ADOPT", make: (lib, p) => new lib.ADOPT(p), loop: loops.adopt, slots: 2 },
  { name: "AdEMAMix", make: (lib, p) => new lib.AdEMAMix(p), loop: loops.ademamix, slots: 3 },
  { name: "MADGRAD", make: (lib, p) => new lib.MADGRAD(p), loop: loops.madgrad, slots: 3 },
  { name: "Ftrl", make: (lib, p) => new lib.Ftrl(p), loop: loops.ftrl, slots: 2 },
  { name: "LAMB", make: (lib, p) => new lib.LAMB(p), loop: norms.lamb, slots: 3 },
  {
    name: "LARS",
    make: (lib, p) => new lib.LARS(p, { momentum: 0.9, weightDecay: 1e-4 }),
    loop: norms.lars,
    slots: 1,
  },
  { name: "NovoGrad", make: (lib, p) => new lib.NovoGrad(p), loop: norms.novograd, slots: 1 },
  { name: "Adafactor", make: (lib, p) => new lib.Adafactor(p), loop: norms.adafactor, slots: 2 },
];

/** A layout's name on the command line, and its tensors. */
export const layouts: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries([64, 1024, 16_384, 262_144, 1_048_576, 4_194_304, 16_777_216].map((n) => [String(n), [n]])),
  "100x1000": new Array<number>(100).fill(1000),
  "10000x64": new Array<number>(10_000).fill(64),
};

/** `1,024` or `100 × 1,000`. */
export function layoutName(lengths: readonly number[]): string {
  const length = lengths[0].toLocaleString("en");
  return lengths.length === 1 ? length : `${lengths.length.toLocaleString("en")} × ${length}`;
}

export const sum = (lengths: readonly number[]): number => lengths.reduce((total, n) => total + n, 0);

/** A model of these tensors, with {@link gradients}. */
export const model = (library: Library, lengths: readonly number[]): gradstep.ParameterDict =>
  gradients(new library.ParameterDict(Object.fromEntries(lengths.map((n, i) => [`t${i}`, [n]]))));

/** Real numbers everywhere: zeros would make denormals, which are slow for all. */
export function gradients(params: gradstep.ParameterDict): gradstep.ParameterDict {
  for (const name of params.names)
    for (const view of [params.data[name], params.grad[name]])
      for (let i = 0; i < view.length; i++) view[i] = Math.sin(i * 12.9898 + view.byteOffset) * 0.1 + 0.001;
  return params;
}
