import {
  type NamedTensorMap,
  Optimizer,
  type Scalar,
  type Variable,
  engine,
  serialization,
} from "@tensorflow/tfjs-core";
import { type Kind, finite, number, record, wrongType, wrongValue } from "../util/check.js";
import { type Description, describe } from "../util/describe.js";
import { describeOptimizer } from "../optimizer/describe-optimizer.js";
import type { ParamGroup } from "../optimizer/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { WholeOptions } from "../optimizer/rule.js";
import { LBFGS } from "../rules/lbfgs/lbfgs.js";
import { FOREIGN, allowStrings, encode, groupsOf, optionsOf, readConfig } from "./config.js";
import { type GroupSpec, type VariableGroup, groupOf, readGroups, liveGroup, warnOfUnmatched } from "./groups.js";
import { readGradients } from "./gradients.js";
import { VariableCopies } from "./variable-copies.js";
import { type RuleName, type RuleOptions, rules } from "./rules.js";
import { lbfgsStep } from "./lbfgs-step.js";
import { type NamedTensor, fromWeights, toWeights } from "./weights.js";

/** Options of a {@link GradstepOptimizer}: those of the rule, and these. */
export type GradstepOptions<Rule extends RuleName = RuleName> = RuleOptions[Rule] &
  WholeOptions & {
    /** Variables with options of their own, by name or pattern. All others are in `paramGroups[0]`. Not for "lbfgs". */
    readonly groups?: readonly VariableGroup<RuleOptions[Rule]>[] | undefined;
    /** Clips the global norm of a step's gradients to this value, >= 0. Default: no clipping. Not for "lbfgs". */
    readonly clipNorm?: number | undefined;
    /** A finite factor for every gradient before clipping: 1/scale for scaled losses. Default 1. Not for "lbfgs". */
    readonly gradScale?: number | undefined;
  };

const OWNER = "GradstepOptimizer";
const norm = number("a finite number >= 0", (x) => x >= 0 && x < Infinity);
/** The default `historySize` of L-BFGS. */
const HISTORY = 100;

/**
 * Any rule of gradstep as a `tf.Optimizer`, for `model.compile`, `minimize` and `applyGradients` on every backend. State
 * belongs to a variable's name, so the order of gradients does not matter and variables may be added at any time.
 *
 * A variable without a gradient is skipped: no update, no decay, no step counted. Variables must be float32.
 *
 * @throws RangeError for an unknown rule; TypeError or RangeError for an invalid option, as the rule's class.
 * @example
 * const optimizer = new GradstepOptimizer("adamw", { lr: 1e-3, groups: [{ params: /bias/, weightDecay: 0 }] });
 * model.compile({ optimizer, loss: "categoricalCrossentropy" });
 */
export class GradstepOptimizer<Rule extends RuleName = RuleName> extends Optimizer {
  /** The name under which TensorFlow.js registers the class. */
  static readonly className = "GradstepOptimizer";

  /** Overrides that of `tf.Optimizer`, which accepts any object with the same methods. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && #copies in value;
  }

  readonly #rule: Rule;
  readonly #nonFinite: unknown;
  readonly #copies: VariableCopies;
  readonly #groups: readonly [ParamGroup<RuleOptions[Rule]>, ...ParamGroup<RuleOptions[Rule]>[]];
  #specs: readonly GroupSpec[];
  #options: Record<string, unknown>;
  #clipNorm: number | undefined;
  #gradScale: number;
  /** Whether members of `groups` that match no variable have been warned about. */
  #groupsChecked = false;
  #restored = false;

  /**
   * @param rule The name of the rule's class in lower case, such as "adamw".
   * @param options The rule's options, with `groups`, `clipNorm` and `gradScale`. Default: the rule's defaults.
   */
  constructor(rule: Rule, options: GradstepOptions<Rule> = {}) {
    super();
    const known = Object.keys(rules);
    if (typeof rule !== "string") throw wrongType(OWNER, "rule", "the name of a rule", rule);
    if (!Object.hasOwn(rules, rule)) throw wrongValue(OWNER, "rule", `one of ${known.join(", ")}`, rule, known);
    const { groups, clipNorm, gradScale, ...given } = record(OWNER, "options", options);
    const whole = rule === "lbfgs";
    for (const [name, value] of Object.entries({ groups, clipNorm, gradScale }))
      if (whole && value !== undefined) throw wrongValue(OWNER, name, 'nothing for "lbfgs"', value);
    if (given.stateFormat !== undefined && given.stateFormat !== "float32")
      throw wrongValue(OWNER, "stateFormat", '"float32", which TensorFlow.js can save', given.stateFormat);
    this.#rule = rule;
    this.#options = given;
    this.#nonFinite = given.nonFinite;
    this.#clipNorm = readOptional(norm, "clipNorm", clipNorm);
    this.#gradScale = readOptional(finite, "gradScale", gradScale) ?? 1;
    this.#specs = readGroups(OWNER, groups);
    this.#copies = new VariableCopies({
      owner: OWNER,
      evaluates: rule.startsWith("schedulefree"),
      make: (params, names) => this.#make(params, names),
      groupOf: (name) => groupOf(this.#specs, name, (other) => Object.hasOwn(engine().registeredVariables, other)),
      slots: () => {
        const { historySize } = this.#options;
        return whole ? 2 * (typeof historySize === "number" ? historySize : HISTORY) + 5 : 6;
      },
    });
    const liveGroups = this.#copies.inner.paramGroups.map((_, g) =>
      liveGroup(() => this.#copies.inner.paramGroups[g] as unknown as ParamGroup<RuleOptions[Rule]>),
    );
    this.#groups = Object.freeze(liveGroups) as typeof this.paramGroups;
  }

  /** The rule's name. */
  get rule(): Rule {
    return this.#rule;
  }

  /**
   * The parameter groups; the first has the variables that are in none of `groups`. Options are live and validated;
   * `params` are the names of the variables seen so far. The objects never change. Schedules accept the optimizer.
   * @example
   * optimizer.paramGroups[0].lr = 5e-4;
   * const schedule = new CosineAnnealingLR(optimizer, { tMax: 1000 });
   */
  get paramGroups(): readonly [ParamGroup<RuleOptions[Rule]>, ...ParamGroup<RuleOptions[Rule]>[]] {
    return this.#groups;
  }

  /** The learning rate of the first group. Setting it sets the rate of every group. */
  get learningRate(): number {
    return (this.#groups[0] as unknown as { lr: number }).lr;
  }
  /** @throws TypeError or RangeError unless it is a finite number >= 0; no group is changed then. */
  set learningRate(lr: number) {
    for (const group of this.#groups as unknown as { lr: number }[]) group.lr = lr;
  }

  /** Sets `learningRate`, under the name that `tf.train.sgd` and `tf.train.momentum` use. */
  setLearningRate(learningRate: number): void {
    this.learningRate = learningRate;
  }

  /** The global norm to which gradients are clipped; undefined for no clipping. */
  get clipNorm(): number | undefined {
    return this.#clipNorm;
  }
  /** @throws TypeError or RangeError unless it is undefined or a finite number >= 0. */
  set clipNorm(value: number | undefined) {
    this.#clipNorm = readOptional(norm, "clipNorm", value);
  }

  /** The factor for every gradient. */
  get gradScale(): number {
    return this.#gradScale;
  }
  /** @throws TypeError or RangeError unless it is a finite number. */
  set gradScale(value: number) {
    this.#gradScale = finite.read(OWNER, "gradScale", value);
  }

  /**
   * Takes one step.
   * @param variableGradients Gradients by name, or as a list. Variables that are null or left out are skipped.
   * @throws RangeError for an unknown or repeated name, or a gradient of another shape; TypeError unless all are float32;
   * Error for "lbfgs", which needs the loss too; and as the rule's `step()`. Nothing is changed then.
   * @example
   * const { value, grads } = optimizer.computeGradients(() => loss(model.predict(x)));
   * optimizer.applyGradients(grads);
   */
  applyGradients(variableGradients: NamedTensorMap | NamedTensor[]): void {
    if (this.#copies.inner instanceof LBFGS)
      throw new Error(`${OWNER}: "lbfgs" evaluates the loss several times a step: call minimize()`);
    const updates = readGradients(OWNER, variableGradients);
    this.#copies.add(updates.map(({ variable }) => variable));
    if (!this.#groupsChecked) this.#checkGroups();
    this.#copies.step(updates, this.#gradScale, this.#clipNorm);
    this.incrementIterations();
  }

  /**
   * Takes one step on the scalar that `f` returns, as in `tf.Optimizer`. "lbfgs" calls `f` several times in one step.
   * @returns The loss before the step if `returnCost` is true, else null.
   * @example
   * const cost = optimizer.minimize(() => model.predict(x).sub(y).square().mean(), true);
   */
  override minimize(f: () => Scalar, returnCost = false, varList?: Variable[]): Scalar | null {
    const { inner } = this.#copies;
    if (!(inner instanceof LBFGS)) return super.minimize(f, returnCost, varList);
    const cost = lbfgsStep(OWNER, this.#copies, () => this.computeGradients(f, varList));
    this.incrementIterations();
    if (returnCost) return cost;
    cost.dispose();
    return null;
  }

  /**
   * Switches to the parameters for evaluation. Schedule-free rules evaluate at an average, from which no step can be taken:
   * call {@link train} first. Other rules ignore it.
   * @example
   * optimizer.eval();
   * model.evaluate(x, y);
   * optimizer.train();
   */
  eval(): void {
    this.#copies.setMode("eval");
  }

  /** Switches back to the parameters for training. */
  train(): void {
    this.#copies.setMode("train");
  }

  /**
   * The state: `iter`, `gradstep` (all numbers, as a JSON string), and each slot as `<variable>/<slot>`. The tensors are
   * owned copies outside TensorFlow.js's memory. Dispose of those that you use in operations.
   * @example
   * await model.save("localstorage://model", { includeOptimizer: true });
   */
  override async getWeights(): Promise<NamedTensor[]> {
    return Promise.resolve(toWeights(this.iterations, this.#copies.save()));
  }

  /**
   * Restores state and options from {@link getWeights} of the same rule with as many groups. A variable takes its state when
   * the optimizer next sees it: by name, by name without the number that TensorFlow.js appends, or by order and shape. One
   * warning lists what finds no match.
   * @throws TypeError or RangeError that names what does not fit; nothing is changed then.
   */
  override async setWeights(weights: NamedTensor[]): Promise<void> {
    const { iterations, ...saved } = await fromWeights(OWNER, weights, this.#rule, this.#specs.length + 1);
    const { groups } = saved.state;
    const [options, specs] = [this.#options, this.#specs];
    try {
      this.#options = { ...options, ...optionsOf(groups[0].options) };
      this.#specs = specs.map(({ members }, g) => ({ members, options: optionsOf(groups[g + 1].options) }));
      this.#copies.load(saved);
    } catch (error) {
      this.#options = options;
      this.#specs = specs;
      throw error;
    }
    this.iterations_ = iterations;
    this.#restored = true;
  }

  /** The rule and its current options for {@link fromConfig}, as plain JSON that survives saving with a model. */
  override getConfig(): serialization.ConfigDict {
    const [first, ...rest] = this.#groups;
    const groups = rest.length > 0 ? groupsOf(OWNER, this.#specs, [first, ...rest]) : undefined;
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
   * Creates the optimizer that a config describes. The config may be untrusted: its patterns match in linear time.
   * @throws RangeError for a pattern with backreferences, lookbehind, named groups or `\p`; else as the constructor.
   */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { rule, options } = readConfig(OWNER, config);
    allowStrings();
    return new (cls as unknown as new (rule: unknown, options: unknown) => T)(rule, options);
  }

  /** Releases all memory but the variables; each later use throws. Idempotent. */
  override dispose(): void {
    this.#copies.dispose();
  }

  /** @internal */
  describe(): Description {
    return [OWNER, { rule: this.#rule, clipNorm: this.#clipNorm, ...describeOptimizer(this.#copies.inner)[1] }];
  }

  #make(params: ParameterDict, names: readonly (readonly string[])[]) {
    const groups = this.#specs.map(({ options }, g) => ({ ...options, params: names.at(g) ?? [] }));
    return new rules[this.#rule](params, groups.length > 0 ? { ...this.#options, groups } : this.#options);
  }

  #checkGroups(): void {
    this.#groupsChecked = true;
    if (this.#specs.length === 0) return;
    const filled = (g: number) => this.#restored && this.#groups[g + 1].params.length > 0;
    warnOfUnmatched(OWNER, this.#specs, Object.keys(engine().registeredVariables), filled);
  }
}
serialization.registerClass(GradstepOptimizer);
describe(GradstepOptimizer, (optimizer) => optimizer.describe(), FOREIGN);

function readOptional<T>(kind: Kind<T>, name: string, value: unknown): T | undefined {
  return value === undefined ? undefined : kind.read(OWNER, name, value);
}
