// Cautious updates: the rules that have them get the option, and a second form that masks the update of each tensor.
import { padded } from "../memory/arena.js";
import { type CommonOptions, DEC, GS, type Rule, type Run, type Settled, fixedFlag } from "../optimizer/rule.js";
import { sweepTensors } from "../step/tensor-sweep.js";
import type { Kernels } from "../wasm/generated/kernels.js";

/** The option of rules that have cautious updates. */
export interface CautiousOptions {
  /**
   * Cautious updates: elements whose update disagrees in sign with the gradient do not move (but decay), and the others
   * move by 1/max(the fraction of the tensor's elements that move, 1e-3) times as much. Default false. Fixed when the optimizer
   * is made, as `amsgrad` is, since it takes memory; a group may differ, and in MARS it can be changed.
   * @see Liang et al. (2024), https://arxiv.org/abs/2411.16085
   */
  cautious?: boolean | undefined;
}

/**
 * Moves θ along the update in the scratch, times c[factor] and the factor of cautious updates, where the update is kept. An index
 * in place of a number, which V8 might box.
 */
export function moveCautiously({ agreeing, cautious }: Kernels, { at, c, size, scratch }: Run, factor: number): void {
  const kept = agreeing(size, scratch, at[2], c[GS]);
  c[factor] /= Math.max(kept / size, 1e-3);
  cautious(at[0], at[1], at[2], scratch, c[GS], c[DEC], c[factor]);
}

/**
 * Gives a rule of single elements the option `cautious`. Returns what chooses its form by an optimizer's options: as it is,
 * or, where a group is cautious, one that takes tensors one by one. `update` is a step without the move: it writes to the
 * scratch along what the step moves, and returns which coefficient is the factor of that.
 */
/* @__NO_SIDE_EFFECTS__ */
export function withCaution<Options extends CommonOptions>(
  rule: Rule<Options>,
  update: (kernels: Kernels, run: Run) => number,
): (options: unknown) => Rule<Options & CautiousOptions> {
  type All = Options & CautiousOptions;
  const dialects = Object.entries(rule.defaults).map(([dialect, defaults]) => [
    dialect,
    { ...defaults, cautious: false },
  ]);
  const plain = {
    ...rule,
    kinds: { ...rule.kinds, cautious: fixedFlag },
    defaults: Object.fromEntries(dialects) as Rule<All>["defaults"],
    later: ["cautious"],
    conflict: ({ cautious }: Settled<CautiousOptions>) =>
      cautious ? { option: "cautious", expected: "false, as in all groups when the optimizer was made" } : undefined,
  } as unknown as Rule<All>;
  const masked: Rule<All> = {
    ...plain,
    conflict: () => undefined,
    sweepAll: sweepTensors,
    scratch: ({ cautious }, { size }) => (cautious ? padded(size) : 0),
    sweep(kernels, run, options) {
      if (options.cautious) moveCautiously(kernels, run, update(kernels, run));
      else rule.sweep(kernels, run, options);
    },
  };
  return (options) => (isCautious(options) ? masked : plain);
}

/** Whether options, not yet checked, or those of a group in them are cautious. */
function isCautious(options: unknown): boolean {
  const { cautious, groups } = (options ?? {}) as { cautious?: unknown; groups?: unknown };
  return cautious === true || (Array.isArray(groups) && groups.some(isCautious));
}
