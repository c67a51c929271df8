import type { Vector } from "../memory/tensor.js";
import type { WholeOptions } from "./rule.js";
import type { WeightAverage } from "../averages/weight-average.js";
import type { WeightEma } from "../averages/weight-ema.js";

/** Tensors with options of their own, among those an optimizer is made with. */
export type GroupOptions<Options, Name extends string = string> = Options & {
  /** Names of the tensors. */
  readonly params: readonly NoInfer<Name>[];
};

/** What an optimizer is made with: the rule's options, for all tensors, and groups that override them. */
export type OptimizerOptions<Options, Name extends string = string> = Options &
  WholeOptions & {
    /** Tensors with options of their own. Those named nowhere are `paramGroups[0]`. */
    readonly groups?: readonly GroupOptions<Options, Name>[] | undefined;
  };

/** A parameter group: its options, which can be set while training, and the names of its tensors. */
export type ParamGroup<Options> = { -readonly [Key in keyof Options]-?: Exclude<Options[Key], undefined> } & {
  /** Whose semantics the optimizer has: the same in all groups, and fixed. */
  readonly dialect: NonNullable<WholeOptions["dialect"]>;
  /** Names of the group's tensors, in the order of the state; fixed. Empty where other groups have named all. */
  readonly params: readonly string[];
  /**
   * The base rate of schedules, PyTorch's `initial_lr`: the first schedule writes the rate it finds, checkpoints keep it, and
   * later schedules start from it. `undefined` before, and when you set that.
   */
  initialLr?: number | undefined;
};

/** A tensor's state: its step count, and views of its slots and its scalars by name; `Own` lists those of one rule. */
export type TensorState<Own = Record<string, Vector | number>> = {
  /** Steps that the tensor took part in, a whole number; 0 before the first. */
  readonly step: number;
} & Readonly<Own>;

/** One of the names that are known to the type, or one that came with `addParamGroup`. */
export type TensorName<Name extends string> = Name | (string & Record<never, never>);

/** What one `step()` takes. */
export interface StepOptions<Name extends string = string> {
  /** Tensors that take no part in this step, as if PyTorch's `grad` were None: no update, no decay, no step count. */
  readonly skip?: readonly TensorName<Name>[] | undefined;
  /**
   * Row numbers by tensor: of these 2-D tensors only those rows are updated, each once, at a cost that does not depend on
   * the others (embeddings). For `SGD` without momentum, `Adagrad` and `Adam`, as PyTorch's sparse optimizers do.
   * The first such step takes 64 to 96 KiB of the arena.
   */
  readonly rows?: Readonly<Record<string, ArrayLike<number>>> | undefined;
  /**
   * Multiplies every gradient: 1/n for gradients summed over n micro-batches, 1/scale for scaled losses. A finite number that
   * float32 can hold. Default 1.
   */
  readonly gradScale?: number | undefined;
  /**
   * Clips by the global norm, as `clipGradNorm` before the step does, but for one read of the gradients and no write:
   * where the norm n of the gradients of this step, times `gradScale`, is above it, they count times clipNorm/(n + 1e-6).
   * A number >= 0; Infinity clips nothing. `optimizer.gradNorm` tells n.
   */
  readonly clipNorm?: number | undefined;
  /**
   * Clears the gradients in the same pass, as `zeroGrad()` after the step does: those of skipped tensors too, and where
   * the step is skipped because they are not finite; of `rows` only those rows. Default false.
   */
  readonly zeroGrad?: boolean | undefined;
  /**
   * An average of the optimizer's tensors, or some of them, that is updated in the same pass, as `update()`
   * after the step does; not where the step is skipped.
   */
  readonly average?: WeightEma | WeightAverage | undefined;
}
