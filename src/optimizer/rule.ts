// What a rule declares in its file in src/rules/: options, state, coefficients and the kernel call.
import { type Elsewhere, fixed, flag, nonNegative, oneOf } from "../util/check.js";
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

/** Options of every rule. */
export interface CommonOptions {
  /** Learning rate, >= 0. */
  lr?: number | undefined;
  /** Weight decay λ, >= 0. Coupled (g + λθ) in PyTorch's and optax's dialects, unless the rule says otherwise; decoupled in Keras's. */
  weightDecay?: number | undefined;
  /** Ascend instead of descend. Default false. */
  maximize?: boolean | undefined;
}

/** Options of the optimizer as a whole, which groups do not have. */
export interface WholeOptions {
  /** Semantics and defaults: "torch" (default), "keras" or "optax", where the rule has them. */
  dialect?: Dialect | undefined;
  /**
   * What to do when a gradient is not finite, by itself or after `gradScale` and clipping: "propagate" (default) it into
   * parameters and state, "skip" the whole step (which then returns false), or "throw" an error that names the first such
   * element. "skip" and "throw" change nothing.
   */
  nonFinite?: NonFinitePolicy | undefined;
  /**
   * The format of the state of element-wise rules: "float32" (default), 4 bytes per element of a slot; "bfloat16", 2 bytes;
   * "8bit", about 1 byte, in tensors of at least 4,096 elements (float32 in smaller ones). Slots that must not be rounded,
   * such as weights, stay float32: see docs/state.md. `stateBytes` is the size.
   */
  stateFormat?: StateFormat | undefined;
}

/** A rule's options with defaults filled in. */
export type Settled<Options> = Resolved<Options> & { readonly dialect: Dialect };

/** A dialect's defaults. An `lr` without a default must be given. */
export type Defaults<Options> = {
  readonly [Key in keyof Options as Exclude<Key, "lr">]-?: Exclude<Options[Key], undefined>;
} & { readonly lr?: number };

/** What a rule sees of a tensor when the optimizer is made. */
export type TensorInfo = Pick<Tensor, "name" | "shape" | "size">;

/** A slot's kind, the initial value of its elements, and its length in elements if that is not the tensor's. */
export interface Slot {
  readonly kind: SlotKind;
  readonly start: number;
  readonly length?: number | undefined;
}

export const signed = (start = 0): Slot => ({ kind: "signed", start });
export const positive = (start = 0): Slot => ({ kind: "positive", start });
export const exact = (start = 0, length?: number): Slot => ({ kind: "exact", start, length });

/** What a step does when a gradient is NaN or infinite. */
export type NonFinitePolicy = "propagate" | "skip" | "throw";
export const nonFiniteKind = oneOf(["propagate", "skip", "throw"], "throw=error propagate=ignore");

/** The arguments of a kernel call, reused from step to step so that a step allocates nothing. */
export interface Run {
  /** Elements (with padding), then addresses: parameters, gradient, slots in order. The address of an absent slot is 0. */
  readonly at: Uint32Array;
  /** Coefficients in float64, which the call rounds to float32: gs, wd, dec, then the rule's own. */
  c: Float64Array;
  /** The step of the run's tensors, from 1. */
  t: number;
  /** The scalars of the run's tensors, in order, for the rule to update. */
  scalars: Float64Array;
  /** The numbers that the tensors of the group, or of the optimizer, share. */
  shared: Float64Array;
  /** With `sweepAll`: the tensor's elements without padding, its shape, and the address of the rule's scratch. */
  size: number;
  shape: Shape;
  scratch: number;
}

export { DEC, GS, OWN, WD };

/** Tensors with the same hyperparameters. */
export interface Group<Options> {
  readonly options: Settled<Options> & { readonly initialLr?: number | undefined; params: readonly string[] };
  /** The group as users see it in `paramGroups`: options that are validated when set, and tensor names. */
  readonly view: Settled<Options> & { readonly params: readonly string[] };
  /** Whether it has tensors. Groups without tensors have no influence on shared numbers. */
  occupied: boolean;
  /** Numbers that all tensors of the group, or of the optimizer, share. */
  readonly shared: Float64Array;
}

/**
 * The arithmetic of one optimizer. What the optimizer passes through a rule to src/step (itself, its list of runs, a step's
 * options) is an `object` here, so that rules do not depend on how steps are carried out.
 */
export interface Rule<Options extends CommonOptions> extends Elsewhere {
  /** The class's name, with which every message begins. */
  readonly name: string;
  /** What each option accepts. */
  readonly kinds: Kinds<Options>;
  /** Defaults of the dialects that the rule has. */
  readonly defaults: Readonly<Partial<Record<Dialect, Defaults<Options>>>>;
  /** For options that are valid alone but not together: the option to blame and what was expected of it. */
  conflict?(options: Settled<Options>): Conflict | undefined;
  /**
   * For a rule that reduces over each tensor, and hence gets them one by one: `sweepTensors`, or `sweepAfter(…)`. Without it
   * each element is updated by itself, so adjacent tensors with equal options, step and scalars are swept as one run.
   */
  sweepAll?(optimizer: object, runs: object, request: object): boolean;
  /** Throws for a tensor that the rule cannot update, named by `option`. */
  accept?(tensor: TensorInfo, option: string): void;
  /**
   * Every slot that the rule can have, in the kernel's order; undefined where these options and this tensor do not need it.
   * The names must not depend on the tensor.
   */
  slots(options: Settled<Options>, tensor: TensorInfo): Readonly<Record<string, Slot | undefined>>;
  /** Bytes of scratch that a step on the tensor uses. */
  scratch?(options: Settled<Options>, tensor: TensorInfo): number;
  /** Numbers in a tensor's state: their initial values by name. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** The scalars of a tensor after `step` steps, where the saved ones are those of 0.1, which lack some. */
  derive?(options: Settled<Options>, step: number, saved: object): Record<string, number> | undefined;
  /** Options that states saved by 0.1 lack and that had their defaults there. */
  readonly later?: readonly string[];
  /** Numbers that the tensors of a group, or of the optimizer, share: `perGroup(…)` or `perOptimizer(…)`. */
  readonly shared?: SharedNumbers<Options>;
  /** Updates the groups' shared numbers: once per step, before the coefficients are computed. */
  advance?(groups: readonly Group<Options>[]): void;
  /** Throws for groups that do not fit together, or parameters for evaluation, before a step changes anything. */
  ready?(groups: readonly Group<Options>[], evaluating: boolean): void;
  /**
   * Computes the coefficients of step `t` (from 1) in float64 and updates the scalars. Coefficients go into `c` from
   * {@link WD} on, in the kernel's order, as in a list of runs. The optimizer has set `c[GS]` to ± `gradScale`. A rule with
   * `sweepAll` may leave this to `sweep`.
   */
  coefficients?(
    c: Float64Array,
    options: Settled<Options>,
    t: number,
    scalars: Float64Array,
    shared: Float64Array,
  ): void;
  /**
   * Which variant of the kernel the coefficients choose, as a small whole number, beside the choice by the slots that exist.
   * Runs of different variants need different calls.
   */
  variant?(options: Settled<Options>, c: Float64Array): number;
  /** Calls the kernel. Arguments are written out, which is ten times faster than a spread. */
  sweep(kernels: Kernels, run: Run, options: Settled<Options>): void;
  /** Sparse steps, where the rule has them: `sparseSteps` makes them, so that other rules do without their code. */
  readonly rows?: SparseSteps;
  /** For a rule with other parameters for evaluation: switches to those, or back. */
  evaluate?(
    optimizer: { readonly table: Table; readonly groups: readonly Group<Options>[]; readonly arena: Arena },
    evaluating: boolean,
  ): void;
  /** For a rule with a slot that starts as a copy of the parameters: `copyIn(…)`. */
  readonly copied?: CopiedSlot;
}

/** Numbers that tensors share. */
export interface SharedNumbers<Options> {
  /** Their initial values by name. */
  start(options: Settled<Options>): Record<string, number>;
  /** Those of the groups that are added to others. */
  of(
    groups: readonly Group<Options>[],
    added: readonly { readonly options: Settled<Options>; readonly params: readonly string[] }[],
  ): readonly Float64Array[];
}

/** A slot that is a copy of the parameters at the tensor's first step. */
export interface CopiedSlot {
  /** Its place in the kernel's order. */
  readonly slot: number;
  /** Copies the parameters of tensor i. */
  copy(arena: Arena, table: Table, i: number): void;
  /** At the first step of tensors: copies their parameters, which may have been set since they were added. */
  begin(arena: Arena, table: Table, batchOf: Int32Array): void;
}

/** How a rule updates rows of a tensor (src/step/sparse-rows.ts). */
export interface SparseSteps {
  /** Checks the rows that a step updates of tensor i: row numbers, which must be whole, in [0, shape[0]) and different. */
  read(request: object, option: string, value: unknown, i: number, target: object): Uint32Array;
  /** Takes the memory of sparse steps, once. Throws when there is no room. */
  makeRoom(request: object, slots: object): void;
  /** Updates the chosen rows of the tensors that have some. */
  sweep(optimizer: object, runs: object, request: object): void;
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
