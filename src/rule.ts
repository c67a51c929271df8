import { type Kind, fixed, flag, nonNegative } from "./check.js";
import type { Kernels } from "./wasm/generated/kernels.js";

/**
 * Whose semantics a rule follows. "torch" (default): PyTorch's. "keras": Keras's, with its defaults; weight decay is
 * then decoupled in every rule. A dialect is other coefficients or another start value, never another loop.
 */
export type Dialect = "torch" | "keras";

/** What every rule takes. */
export interface CommonOptions {
  /** Learning rate, >= 0. */
  lr?: number | undefined;
  /** Weight decay λ, >= 0. Coupled (g + λθ) in PyTorch's dialect, unless the rule says otherwise; decoupled in Keras's. */
  weightDecay?: number | undefined;
  /** Ascend instead of descend. Default false. */
  maximize?: boolean | undefined;
}

/** What only the optimizer as a whole takes. */
export interface WholeOptions {
  /** Semantics and defaults: "torch" (default) or "keras". */
  dialect?: Dialect | undefined;
}

/** A rule's options once defaults are filled in. */
export type Settled<Options> = { readonly [Key in keyof Options]-?: Exclude<Options[Key], undefined> } & {
  readonly dialect: Dialect;
};

/** One kernel call's numbers, reused from step to step so that a step allocates nothing. */
export interface Run {
  /** Elements (with padding), then addresses: parameters, gradient, slots in order. An absent slot is at 0. */
  readonly at: Uint32Array;
  /** Coefficients in float64, rounded to float32 once, by the call: gs, wd, dec, then the rule's own. */
  c: Float64Array;
}

/** Where the coefficients that all rules have stand in {@link Run.c}. */
export const GS = 0;
export const WD = 1;
export const DEC = 2;
/** The first of a rule's own coefficients. */
export const OWN = 3;

/** The arithmetic of one optimizer, as its file in `rules/` declares it. */
export interface Rule<Options extends CommonOptions> {
  /** The class's name: begins every message. */
  readonly name: string;
  /** What each option may be. */
  readonly kinds: { readonly [Key in keyof Options]-?: Kind<Exclude<Options[Key], undefined>> };
  /** Defaults of the dialects that the rule has. */
  readonly defaults: Readonly<Partial<Record<Dialect, Omit<Settled<Options>, "dialect">>>>;
  /** What is wrong with options that are each right by themselves: the option and what was expected of it. */
  conflict?(options: Settled<Options>): { option: string; expected: string } | undefined;
  /** Every slot that the rule can have, in the kernel's order, and its start value; undefined where these options need none. */
  slots(options: Settled<Options>): Readonly<Record<string, number | undefined>>;
  /** Named numbers of a tensor's state and their start values. */
  readonly scalars?: Readonly<Record<string, number>>;
  /**
   * Computes the coefficients of step `t` (from 1) in float64, into `c` from {@link WD} on, and moves the scalars on.
   * The optimizer sets `c[GS]`.
   */
  coefficients(c: Float64Array, options: Settled<Options>, t: number, scalars: Float64Array): void;
  /** Calls the kernel, with written-out arguments: ten times faster than a spread. */
  sweep(kernels: Kernels, run: Run, options: Settled<Options>): void;
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
  c[OWN + 1] = 1 - betas[0];
  c[OWN + 2] = betas[1];
  c[OWN + 3] = 1 - betas[1];
}
