// How the saved state of PyTorch's optimizers differs from ours, rule by rule, and how names map: `expAvg`, `exp_avg`.
import type { Shape } from "../memory/tensor.js";

export type Options = Readonly<Record<string, unknown>>;

/** How PyTorch's state for one rule differs from ours. */
export interface TorchForm {
  /** Entries of its groups that are not options here: written, and compared if they change the arithmetic. */
  readonly constants: Options;
  /** Options that PyTorch lacks, with the value that matches its behaviour. */
  readonly ours?: Options;
  /** Its state has no step count: a tensor with state has been updated. */
  readonly stepless?: true;
  /** Names that are not ours in snake case. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Values that PyTorch saves as None. */
  readonly none?: Options;
}

const plain = { foreach: false, differentiable: false };
const capturable = { ...plain, capturable: false };

/** PyTorch's optimizers, without LBFGS: it saves lists, for which there are no flattened names. */
const forms: Readonly<Record<string, TorchForm>> = {
  SGD: { constants: { ...plain, fused: null }, ours: { momentumForm: "torch", biasCorrection: false }, stepless: true },
  Adagrad: { constants: { ...plain, fused: null } },
  Adadelta: { constants: capturable },
  RMSprop: { constants: capturable },
  Adam: { constants: { ...capturable, fused: null, decoupled_weight_decay: false } },
  AdamW: {
    constants: { ...capturable, fused: null, decoupled_weight_decay: true },
    ours: { cautious: false },
  },
  Adamax: { constants: capturable },
  NAdam: { constants: capturable },
  RAdam: { constants: capturable },
  ASGD: { constants: capturable },
  Rprop: { constants: capturable, ours: { weightDecay: 0 } },
  Adafactor: { constants: { foreach: false } },
  Muon: {
    constants: { eps: 1e-7, use_addmm: false },
    ours: { maximize: false },
    stepless: true,
    renamed: { adjustLr: "adjust_lr_fn" },
    none: { adjustLr: "original" },
  },
};

/** Entries about how PyTorch computes the same step, entries of its schedules, and names of tensors. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  ...["foreach", "differentiable", "capturable", "fused", "use_addmm", "param_names"],
  ...["initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum", "swa_lr"],
]);

/** Options that have no effect with these values. */
const OFF: Options = {
  amsgrad: false,
  centered: false,
  decoupled_weight_decay: false,
  maximize: false,
  nesterov: false,
  dampening: 0,
  lr_decay: 0,
  momentum: 0,
  weight_decay: 0,
};

/** Whether an entry of a group never changes a step. */
export const changesNothing = (entry: string): boolean => WITHOUT_EFFECT.has(entry);

/** Whether a rule without such an option can ignore this entry of `param_groups`. */
export function isHarmless(key: string, value: unknown): boolean {
  const entry = key.slice(key.lastIndexOf(".") + 1);
  return changesNothing(entry) || (Object.hasOwn(OFF, entry) && OFF[entry] === value);
}

/** Options that older versions of PyTorch lack, with the value that matches them. */
export const later: Options = { maximize: false, decoupledWeightDecay: false };

/** PyTorch's form of an optimizer with these options; undefined where PyTorch has none. */
export function torchForm(rule: string, options: Options): TorchForm | undefined {
  const form = formOf(rule);
  if (form === undefined || options.dialect !== "torch") return undefined;
  return Object.entries(form.ours ?? {}).every(([name, value]) => options[name] === value) ? form : undefined;
}

export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** PyTorch's form of a rule, whatever the options; undefined where PyTorch has none. */
export const formOf = (rule: string): TorchForm | undefined => (Object.hasOwn(forms, rule) ? forms[rule] : undefined);

export const optionName = (form: TorchForm | undefined, option: string): string =>
  form?.renamed?.[option] ?? snakeCase(option);

/** The shape of a slot: its tensor's, or that of Adafactor's sums over one of the last two dimensions. */
export function slotShape(slot: string, shape: Shape, length: number): Shape {
  const shapes: Shape[] = [shape];
  if (slot === "rowVar") shapes.unshift([...shape.slice(0, -1), 1]);
  if (slot === "colVar") shapes.unshift([...shape.slice(0, -2), 1, ...shape.slice(-1)]);
  return shapes.find((candidate) => candidate.reduce((product, size) => product * size, 1) === length) ?? [length];
}
