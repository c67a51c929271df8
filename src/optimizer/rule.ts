import { fixed, flag, nonNegative, oneOf } from "../util/check.js";
import type { Conflict, Kinds, Resolved } from "../util/options.js";
import type { Shape, Tensor } from "../memory/tensor.js";
import type { SlotKind, StateFormat } from "../state/small-formats.js";
import { DEC, GS, OWN, WD } from "../wasm/generated/layout/coefficients.js";
import type { Arena } from "../memory/arena.js";
import type { Table } from "../step/tensor-table.js";
import type { Kernels } from "../wasm/generated/kernels.js";

/**
 * Whose semantics a rule follows. "torch" (default): PyTorch's. "keras": Keras's, with its defaults; weight decay is
 * then decoupled in every rule. "optax": optax's, with its defaults; decay is coupled where optax has none for the rule.
 * A dialect is other coefficients or another start value, never another loop.
 */
export type Dialect = "torch" | "keras" | "optax";

/** What every rule takes. */
export interface CommonOptions {
  /** Learning rate, >= 0. */
  lr?: number | undefined;
  /** Weight decay λ, >= 0. Coupled (g + λθ) in PyTorch's dialect, and optax's, unless the rule says otherwise; decoupled in Keras's. */
  weightDecay?: number | undefined;
  /** Ascend instead of descend. Default false. */
  maximize?: boolean | undefined;
}

/** What only the optimizer as a whole takes. */
export interface WholeOptions {
  /** Semantics and defaults: "torch" (default), "keras" or "optax", where the rule has them. */
  dialect?: Dialect | undefined;
  /**
   * A gradient that is not finite, as it is or once it is multiplied by `gradScale` and clipped: "propagate" (default) into
   * parameters and state, "skip" the step as a whole (which then returns false), or "throw" an error that names the first
   * such element. Both of the latter change nothing.
   */
  nonFinite?: NonFinitePolicy | undefined;
  /**
   * How element-wise rules keep their state: "float32" (default), 4 bytes an element of a slot; "bfloat16", 2 bytes;
   * "8bit", about 1 byte, in tensors of 4,096 elements and more, the others in float32. Slots for which rounding would be
   * wrong, such as weights, stay float32: docs/state.md has them. `stateBytes` tells the cost.
   */
  stateFormat?: StateFormat | undefined;
}

/** A rule's options once defaults are filled in. */
export type Settled<Options> = Resolved<Options> & { readonly dialect: Dialect };

/** A dialect's defaults. Where `lr` has none, it must be given. */
export type Defaults<Options> = {
  readonly [Key in keyof Options as Exclude<Key, "lr">]-?: Exclude<Options[Key], undefined>;
} & { readonly lr?: number };

/** What a rule may know of a tensor when the optimizer is made. */
export type TensorInfo = Pick<Tensor, "name" | "shape" | "size">;

/** How each element of a slot starts: a number, or a copy of the parameters as they are at the tensor's first step. */
export type Start = number | "parameters";

/** A slot's kind, its start, and its length in elements where that is not the tensor's. */
export interface Slot {
  readonly kind: SlotKind;
  readonly start: Start;
  readonly length?: number | undefined;
}

export const signed = (start: Start = 0): Slot => ({ kind: "signed", start });
export const positive = (start: Start = 0): Slot => ({ kind: "positive", start });
export const exact = (start: Start = 0, length?: number): Slot => ({ kind: "exact", start, length });

/** What happens to a step when a gradient is NaN or infinite. */
export type NonFinitePolicy = "propagate" | "skip" | "throw";
export const nonFiniteKind = oneOf("propagate", "skip", "throw");

/** One kernel call's numbers, reused from step to step so that a step allocates nothing. */
export interface Run {
  /** Elements (with padding), then addresses: parameters, gradient, slots in order. An absent slot is at 0. */
  readonly at: Uint32Array;
  /** Coefficients in float64, rounded to float32 once, by the call: gs, wd, dec, then the rule's own. */
  c: Float64Array;
  /** The step of the run's tensors, from 1. */
  t: number;
  /** The tensor's scalars, in order, to be moved on; the same for all tensors of a run. */
  scalars: Float64Array;
  /** The numbers that the group, or the whole optimizer, has in common. */
  shared: Float64Array;
  /** Of a rule of scope "tensor": its elements without padding, its shape, and the address of its scratch. */
  size: number;
  shape: Shape;
  scratch: number;
}

export { DEC, GS, OWN, WD };

/** The arithmetic of one optimizer, as its file in `rules/` declares it. */
export interface Rule<Options extends CommonOptions> {
  /** The class's name: begins every message. */
  readonly name: string;
  /** What each option may be. */
  readonly kinds: Kinds<Options>;
  /** Defaults of the dialects that the rule has. */
  readonly defaults: Readonly<Partial<Record<Dialect, Defaults<Options>>>>;
  /** Options that the rule lacks and another has: by name, which class. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** What is wrong with options that are each right by themselves: the option and what was expected of it. */
  conflict?(options: Settled<Options>): Conflict | undefined;
  /**
   * "element" (default): one element's update needs no other, so that neighbours with equal options, step and scalars
   * are swept as one run. "tensor": the rule reduces over each tensor, and gets them one by one.
   */
  readonly scope?: "element" | "tensor";
  /** Throws for a tensor that the rule cannot update, named by `option`. */
  accept?(tensor: TensorInfo, option: string): void;
  /**
   * Every slot that the rule can have, in the kernel's order, its kind, and how it starts; undefined where these options (and this
   * tensor) need none. The names must not depend on the tensor.
   */
  slots(options: Settled<Options>, tensor: TensorInfo): Readonly<Record<string, Slot | undefined>>;
  /** Bytes of scratch, beside the slots, that a step on the tensor uses. */
  scratch?(options: Settled<Options>, tensor: TensorInfo): number;
  /** Named numbers of a tensor's state and their start values. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** The scalars of a tensor that has taken `step` steps, where a state saved by 0.1 lacks them. */
  derive?(options: Settled<Options>, step: number): Record<string, number>;
  /** Options that states saved by 0.1 lack: there they had their defaults. */
  readonly later?: readonly string[];
  /** Named numbers that the tensors of a group, or of the whole optimizer, have in common, and their start values. */
  readonly shared?: { readonly by: "group" | "optimizer"; start(options: Settled<Options>): Record<string, number> };
  /** Moves a group's shared numbers on: once a step, before its coefficients are computed. */
  advance?(options: Settled<Options>, shared: Float64Array): void;
  /** Throws for groups that do not go together, before a step changes anything. */
  ready?(groups: readonly { readonly options: Settled<Options>; readonly occupied: boolean }[]): void;
  /**
   * A first pass over all tensors, for a rule that must have seen them all before it moves one. `before` begins it and
   * `between` ends it: false leaves all parameters where they are.
   */
  readonly gather?: {
    before(options: Settled<Options>, shared: Float64Array): void;
    visit(kernels: Kernels, run: Run, options: Settled<Options>): void;
    between(options: Settled<Options>, shared: Float64Array): boolean;
  };
  /**
   * Computes the coefficients of step `t` (from 1) in float64, into `c` from {@link WD} on in the order in which the kernel
   * takes them, since that is how a list of runs has them; and moves the scalars on.
   * The optimizer sets `c[GS]` first, to ± `gradScale`. A rule of scope "tensor" may leave this to `sweep`.
   */
  coefficients?(
    c: Float64Array,
    options: Settled<Options>,
    t: number,
    scalars: Float64Array,
    shared: Float64Array,
  ): void;
  /**
   * Which of its variants the kernel chooses by more than the slots that there are, as a small whole number: runs of
   * different variants are not swept by one call.
   */
  variant?(options: Settled<Options>, c: Float64Array): number;
  /** Calls the kernel, with written-out arguments: ten times faster than a spread. */
  sweep(kernels: Kernels, run: Run, options: Settled<Options>): void;
  /** Sparse steps, where the rule has them: `sparseSteps` makes them, so that other rules do without their code. */
  readonly rows?: SparseSteps<Options>;
  /** Of a rule whose parameters for evaluation lie elsewhere: the slot z, and w of p ← p + w(z − p) in each direction. */
  readonly evaluation?: {
    readonly slot: string;
    toEval(options: Settled<Options>): number;
    toTrain(options: Settled<Options>): number;
  };
}

/** How a rule updates rows of a tensor (src/step/sparse-rows.ts). */
export interface SparseSteps<Options extends CommonOptions> {
  /** What is expected instead of these options, where they have no sparse steps. */
  refuses?(options: Settled<Options>): string | undefined;
  /** Changes the coefficients of a dense step where those of a sparse one differ. */
  coefficients?(c: Float64Array, options: Settled<Options>, t: number): void;
  scratchBytes(buffers: number): number;
  /** Checks row numbers, which must be whole, in [0, shape[0]) and different, and returns a copy. */
  read(owner: string, option: string, value: unknown, shape: Shape, stateFormat: StateFormat): Uint32Array;
  sweep(
    rule: Rule<Options>,
    arena: Arena,
    packed: number,
    run: Run,
    options: Settled<Options>,
    table: Table,
    index: number,
    rows: Uint32Array,
  ): void;
}

/** The kinds of {@link CommonOptions}. */
export const commonKinds = { lr: nonNegative, weightDecay: nonNegative, maximize: flag };
export const commonDefaults = { weightDecay: 0, maximize: false };
export const fixedFlag = fixed(flag);

/** Weight decay: coupled as λ, or decoupled as δ = lr·λ, which Keras does in every rule. */
export function setDecay(c: Float64Array, options: Settled<CommonOptions>, decoupled: boolean): void {
  const decouple = decoupled || options.dialect === "keras";
  c[WD] = decouple ? 0 : options.weightDecay;
  c[DEC] = decouple ? options.lr * options.weightDecay : 0;
}

/** The rates of a first and a second moment, as a rule's first four coefficients: β₁, 1 − β₁, β₂, 1 − β₂. */
export function setMoments(c: Float64Array, betas: readonly [number, number]): void {
  c[OWN] = betas[0];
  c[OWN + 1] = 1 - c[OWN];
  c[OWN + 2] = betas[1];
  c[OWN + 3] = 1 - c[OWN + 2];
}
