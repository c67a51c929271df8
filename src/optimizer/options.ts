// Types of what users pass to optimizers and get from them.
import type { Shape, Vector } from "../memory/tensor.js";
import type { WholeOptions } from "./rule.js";
import type { WeightAverage } from "../averages/weight-average.js";
import type { WeightEma } from "../averages/weight-ema.js";

/** A function that says whether a tensor of this name and shape is in a group. */
export type GroupPredicate<Name extends string = string> = (name: NoInfer<Name>, shape: Shape) => boolean;

/** A parameter group in the options of an optimizer: tensors with options of their own. */
export type GroupOptions<Options, Name extends string = string> = Options & {
  /**
   * Names of the tensors; or a pattern for names, such as `/bias/`, or a function, such as `(name, shape) => shape.length < 2`;
   * or an array of any of these. A tensor belongs to the group that names it, else to the first that matches it. One that
   * matches no tensor is a RangeError.
   */
  readonly params: readonly (NoInfer<Name> | RegExp | GroupPredicate<Name>)[] | RegExp | GroupPredicate<Name>;
};

/** Options of an optimizer: the rule's options for all tensors, and groups that override them. */
export type OptimizerOptions<Options, Name extends string = string> = Options &
  WholeOptions & {
    /** Tensors with options of their own. Tensors that are in none of them are in `paramGroups[0]`. */
    readonly groups?: readonly GroupOptions<Options, Name>[] | undefined;
  };

/** A parameter group: its options, which can be set while training, and the names of its tensors. */
export type ParamGroup<Options> = { -readonly [Key in keyof Options]-?: Exclude<Options[Key], undefined> } & {
  /** The semantics, the same in all groups; read-only. */
  readonly dialect: NonNullable<WholeOptions["dialect"]>;
  /** Names of the group's tensors in the order of the state; read-only. Empty where other groups name all tensors. */
  readonly params: readonly string[];
  /**
   * The base rate of schedules, PyTorch's `initial_lr`: the first schedule sets it to the current rate, later schedules start
   * from it, and checkpoints save it. `undefined` before the first schedule; you may set it back to that.
   */
  initialLr?: number | undefined;
};

/** A tensor's state: its step count, and views of its slots and its scalars by name; `Own` lists those of one rule. */
export type TensorState<Own = Record<string, Vector | number>> = {
  /** Steps that the tensor took part in, a whole number; 0 before the first. */
  readonly step: number;
} & Readonly<Own>;

/** A name that the type knows, or one of a tensor added with `addParamGroup`. */
export type TensorName<Name extends string> = Name | (string & Record<never, never>);

/** Options of one `step()`. */
export interface StepOptions<Name extends string = string> {
  /** Tensors to leave out of this step, as if PyTorch's `grad` were None: no update, no decay, no step count. */
  readonly skip?: readonly TensorName<Name>[] | undefined;
  /**
   * Row numbers by tensor (embeddings): of these 2-D tensors only those rows are updated, each once, at a cost that does not
   * depend on the number of other rows. For `SGD` without momentum, `Adagrad` and `Adam`, as in PyTorch's sparse optimizers.
   * The first such step takes 64 to 96 KiB of the arena.
   */
  readonly rows?: Readonly<Record<string, ArrayLike<number>>> | undefined;
  /**
   * A factor of every gradient: 1/n for gradients summed over n micro-batches, 1/scale for scaled losses. Finite in float32.
   * Default 1.
   */
  readonly gradScale?: number | undefined;
  /**
   * Clips by the global norm like `clipGradNorm` before the step, but reads the gradients only once more and writes none:
   * where n, the norm of this step's gradients times `gradScale`, is larger, they are multiplied by clipNorm/(n + 1e-6).
   * A number >= 0; Infinity clips nothing. `optimizer.gradNorm` is n.
   */
  readonly clipNorm?: number | undefined;
  /**
   * Clears the gradients in the same pass, like `zeroGrad()` after the step: also those of skipped tensors, and when the
   * whole step is skipped because they are not finite; of tensors with `rows` only those rows. Default false.
   */
  readonly zeroGrad?: boolean | undefined;
  /**
   * An average of the optimizer's tensors, or of some of them, to update in the same pass, like its `update()` after the
   * step. A step that is skipped as a whole does not update it.
   */
  readonly average?: WeightEma | WeightAverage | undefined;
}
