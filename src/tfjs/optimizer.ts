import {
  type NamedTensorMap,
  Optimizer,
  type Scalar,
  type Variable,
  engine,
  serialization,
} from "@tensorflow/tfjs-core";
import { type Kind, finite, number, record, wrongType, wrongValue } from "../util/check.js";
import type { ParamGroup } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { WholeOptions } from "../optimizer/rule.js";
import { LBFGS } from "../rules/lbfgs/lbfgs.js";
import { SCHEDULABLE } from "../optimizer/schedulable.js";
import { allowStrings, encode, groupsOf, optionsOf, readConfig } from "./config.js";
import { type GroupPlan, type VariableGroup, groupOf, readGroups, steadyFace, warnOfUnmatched } from "./groups.js";
import { readGradients } from "./gradients.js";
import { Mirror } from "./mirror.js";
import { type RuleName, type RuleOptions, rules } from "./rules.js";
import { solve } from "./solve.js";
import { type NamedTensor, fromWeights, toWeights } from "./weights.js";

/** What a {@link GradstepOptimizer} is made with: the rule's options, and these. */
export type GradstepOptions<Rule extends RuleName = RuleName> = RuleOptions[Rule] &
  WholeOptions & {
    /** Variables with options of their own, by name or pattern. Those in none are `paramGroups[0]`. Not for "lbfgs". */
    readonly groups?: readonly VariableGroup<RuleOptions[Rule]>[] | undefined;
    /** Clip the gradients of a step, taken as one vector, to this norm, >= 0. Default: no clipping. Not for "lbfgs". */
    readonly clipNorm?: number | undefined;
    /** Multiplies every gradient before clipping, a finite number: 1/scale for scaled losses. Default 1. Not for "lbfgs". */
    readonly gradScale?: number | undefined;
  };

const OWNER = "GradstepOptimizer";
const norms = number("a finite number >= 0", (x) => x >= 0 && x < Infinity);
const HISTORY = 100;

/**
 * Any rule of gradstep as a `tf.Optimizer`: for `model.compile`, `minimize` and `applyGradients`, on every backend. State
 * belongs to a variable, by its name, whatever the order that gradients come in; variables may appear at any time.
 *
 * A variable without a gradient is left out of the step: no update, no decay, no count. Variables must be float32.
 *
 * @throws RangeError for a rule that is not known; TypeError, RangeError for an option, as the rule's class.
 * @example
 * const optimizer = new GradstepOptimizer("adamw", { lr: 1e-3, groups: [{ params: /bias/, weightDecay: 0 }] });
 * model.compile({ optimizer, loss: "categoricalCrossentropy" });
 */
export class GradstepOptimizer<Rule extends RuleName = RuleName> extends Optimizer {
  /** The name under which TensorFlow.js saves it. */
  static readonly className = "GradstepOptimizer";

  /** `tf.Optimizer` takes whatever has its methods for an instance: this class does not. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && #mirror in value;
  }

  readonly #rule: Rule;
  readonly #nonFinite: unknown;
  readonly #mirror: Mirror;
  readonly #faces: readonly [ParamGroup<RuleOptions[Rule]>, ...ParamGroup<RuleOptions[Rule]>[]];
  #plans: readonly GroupPlan[];
  #options: Record<string, unknown>;
  #clipNorm: number | undefined;
  #gradScale: number;
  /** Whether the names in `groups` have been compared with the variables that there are. */
  #groupsChecked = false;
  #restored = false;

  /**
   * @param rule Name of the rule's class in lower case, such as "adamw".
   * @param options Of the rule, with `groups`, `clipNorm` and `gradScale`. Default: the rule's defaults.
   */
  constructor(rule: Rule, options: GradstepOptions<Rule> = {}) {
    super();
    const known = Object.keys(rules);
    if (typeof rule !== "string") throw wrongType(OWNER, "rule", "the name of a rule", rule);
    if (!Object.hasOwn(rules, rule)) throw wrongValue(OWNER, "rule", `one of ${known.join(", ")}`, rule);
    const { groups, clipNorm, gradScale, ...given } = record(OWNER, "options", options);
    const whole = rule === "lbfgs";
    for (const [name, value] of Object.entries({ groups, clipNorm, gradScale }))
      if (whole && value !== undefined) throw wrongValue(OWNER, name, 'nothing for "lbfgs"', value);
    if (given.stateFormat !== undefined && given.stateFormat !== "float32")
      throw wrongValue(OWNER, "stateFormat", '"float32", which TensorFlow.js can save', given.stateFormat);
    this.#rule = rule;
    this.#options = given;
    this.#nonFinite = given.nonFinite;
    this.#clipNorm = readOptional(norms, "clipNorm", clipNorm);
    this.#gradScale = readOptional(finite, "gradScale", gradScale) ?? 1;
    this.#plans = readGroups(OWNER, groups);
    this.#mirror = new Mirror({
      owner: OWNER,
      evaluates: rule.startsWith("schedulefree"),
      make: (params, names) => this.#make(params, names),
      groupOf: (name) => groupOf(this.#plans, name, (other) => Object.hasOwn(engine().registeredVariables, other)),
      slots: () => {
        const { historySize } = this.#options;
        return whole ? 2 * (typeof historySize === "number" ? historySize : HISTORY) + 5 : 6;
      },
    });
    const faces = this.#mirror.inner.paramGroups.map((_, g) =>
      steadyFace(() => this.#mirror.inner.paramGroups[g] as unknown as ParamGroup<RuleOptions[Rule]>),
    );
    this.#faces = Object.freeze(faces) as typeof this.paramGroups;
  }

  /** The rule's name. */
  get rule(): Rule {
    return this.#rule;
  }

  /**
   * The parameter groups, the first for the variables in none of `groups`: options are live and validated, `params` the
   * names of the variables that have been met. Always the same objects; schedules take the optimizer for them.
   * @example
   * optimizer.paramGroups[0].lr = 5e-4;
   * const schedule = new CosineAnnealingLR(optimizer, { tMax: 1000 });
   */
  get paramGroups(): readonly [ParamGroup<RuleOptions[Rule]>, ...ParamGroup<RuleOptions[Rule]>[]] {
    return this.#faces;
  }

  /** The learning rate of the first group; setting it sets that of every group. */
  get learningRate(): number {
    return (this.#faces[0] as unknown as { lr: number }).lr;
  }
  /** @throws TypeError, RangeError for what is no finite number >= 0; no group is changed then. */
  set learningRate(lr: number) {
    for (const group of this.#faces as unknown as { lr: number }[]) group.lr = lr;
  }

  /** As `learningRate`, by the name that `tf.train.sgd` and `tf.train.momentum` have for it. */
  setLearningRate(learningRate: number): void {
    this.learningRate = learningRate;
  }

  /** The norm to which the gradients of a step are clipped; undefined for none. */
  get clipNorm(): number | undefined {
    return this.#clipNorm;
  }
  /** @throws TypeError, RangeError for what is neither undefined nor a finite number >= 0. */
  set clipNorm(value: number | undefined) {
    this.#clipNorm = readOptional(norms, "clipNorm", value);
  }

  /** What every gradient is multiplied by. */
  get gradScale(): number {
    return this.#gradScale;
  }
  /** @throws TypeError, RangeError for what is no finite number. */
  set gradScale(value: number) {
    this.#gradScale = finite.read(OWNER, "gradScale", value);
  }

  /**
   * Moves variables by their gradients, once.
   * @param variableGradients By name, or as a list. null, or a variable that is left out: no update.
   * @throws RangeError for a name that is no variable's or there twice, and a gradient of another shape; TypeError for one
   * that is not float32; Error for "lbfgs", which needs the loss too, and as `step()` of the rule. Nothing is changed then.
   * @example
   * const { value, grads } = optimizer.computeGradients(() => loss(model.predict(x)));
   * optimizer.applyGradients(grads);
   */
  applyGradients(variableGradients: NamedTensorMap | NamedTensor[]): void {
    if (this.#mirror.inner instanceof LBFGS)
      throw new Error(`${OWNER}: "lbfgs" evaluates the loss several times a step: call minimize()`);
    const pulls = readGradients(OWNER, variableGradients);
    this.#mirror.meet(pulls.map(({ variable }) => variable));
    if (!this.#groupsChecked) this.#checkGroups();
    this.#mirror.step(pulls, this.#gradScale, this.#clipNorm);
    this.incrementIterations();
  }

  /**
   * As `tf.Optimizer`'s: one step on the scalar that `f` returns. "lbfgs" calls `f` several times, and counts one step.
   * @returns The loss before the step, where `returnCost`; else null.
   * @example
   * const cost = optimizer.minimize(() => model.predict(x).sub(y).square().mean(), true);
   */
  override minimize(f: () => Scalar, returnCost = false, varList?: Variable[]): Scalar | null {
    const { inner } = this.#mirror;
    if (!(inner instanceof LBFGS)) return super.minimize(f, returnCost, varList);
    const cost = solve(OWNER, this.#mirror, () => this.computeGradients(f, varList));
    this.incrementIterations();
    if (returnCost) return cost;
    cost.dispose();
    return null;
  }

  /**
   * The parameters for evaluation: those of the schedule-free rules are an average, which a step does not move, so that
   * {@link train} must come before it. For all other rules: nothing.
   * @example
   * optimizer.eval();
   * model.evaluate(x, y);
   * optimizer.train();
   */
  eval(): void {
    this.#mirror.swap("eval");
  }

  /** The parameters for training again. */
  train(): void {
    this.#mirror.swap("train");
  }

  /**
   * The state: `iter`, `gradstep` (all numbers, as JSON in a string), and each slot as `<variable>/<slot>`. The tensors are
   * copies, yours for as long as you want. They stand outside of TensorFlow.js's memory until an operation takes one, which
   * you dispose of then.
   * @example
   * await model.save("localstorage://model", { includeOptimizer: true });
   */
  override async getWeights(): Promise<NamedTensor[]> {
    return Promise.resolve(toWeights(this.iterations, this.#mirror.save()));
  }

  /**
   * Goes on from what {@link getWeights} gave, of the same rule with as many groups: options come from it too. A variable
   * takes its state when it is met next: that of its name, or of its name without the number that TensorFlow.js adds, or by
   * order and shape. What finds no match is warned about once.
   * @throws TypeError, RangeError naming what does not fit; nothing is changed then.
   */
  override async setWeights(weights: NamedTensor[]): Promise<void> {
    const { iterations, ...saved } = await fromWeights(OWNER, weights, this.#rule, this.#plans.length + 1);
    const { groups } = saved.state;
    const [options, plans] = [this.#options, this.#plans];
    try {
      this.#options = { ...options, ...optionsOf(groups[0].options) };
      this.#plans = plans.map(({ members }, g) => ({ members, options: optionsOf(groups[g + 1].options) }));
      this.#mirror.load(saved);
    } catch (error) {
      this.#options = options;
      this.#plans = plans;
      throw error;
    }
    this.iterations_ = iterations;
    this.#restored = true;
  }

  /** Rule and options, as they are now, for {@link fromConfig}. Plain JSON that passes through a saved model. */
  override getConfig(): serialization.ConfigDict {
    const [first, ...rest] = this.#faces;
    const groups = rest.length > 0 ? groupsOf(OWNER, this.#plans, [first, ...rest]) : undefined;
    const { lr, ...options } = optionsOf(first);
    const config = {
      learningRate: lr,
      ...options,
      dialect: first.dialect,
      nonFinite: this.#nonFinite,
      clipNorm: this.#clipNorm,
      gradScale: this.#gradScale === 1 ? undefined : this.#gradScale,
      groups,
    };
    return encode({ rule: this.#rule, ...config }) as serialization.ConfigDict;
  }

  /**
   * The optimizer that a config describes. It may come from a file: patterns in it are matched in time that grows with a name's
   * length alone.
   * @throws RangeError for a pattern with backreferences, lookbehind, named groups or `\p`; as the constructor.
   */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { rule, options } = readConfig(OWNER, config);
    allowStrings();
    return new (cls as unknown as new (rule: unknown, options: unknown) => T)(rule, options);
  }

  /** Frees all memory; each later use throws. The variables live on. */
  override dispose(): void {
    this.#mirror.dispose();
  }

  #make(params: ParameterDict, names: readonly (readonly string[])[]) {
    const groups = this.#plans.map(({ options }, g) => ({ ...options, params: names.at(g) ?? [] }));
    return new rules[this.#rule](params, groups.length > 0 ? { ...this.#options, groups } : this.#options);
  }

  #checkGroups(): void {
    this.#groupsChecked = true;
    if (this.#plans.length === 0) return;
    const filled = (g: number) => this.#restored && this.#faces[g + 1].params.length > 0;
    warnOfUnmatched(OWNER, this.#plans, Object.keys(engine().registeredVariables), filled);
  }
}
Object.defineProperty(GradstepOptimizer.prototype, SCHEDULABLE, { value: true });
serialization.registerClass(GradstepOptimizer);

function readOptional<T>(kind: Kind<T>, name: string, value: unknown): T | undefined {
  return value === undefined ? undefined : kind.read(OWNER, name, value);
}
