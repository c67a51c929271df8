// Parameter groups: reads and checks their options, and makes the live objects of `paramGroups`.
import { type Kind, array, kindOf, knownOnly, listOf, oneOf, record, wrongType, wrongValue } from "../util/check.js";
import { INSPECT, textOf } from "../util/describe.js";
import { type Conflict, readOptions, refuseConflict } from "../util/options.js";
import type { ParameterDict } from "../memory/parameters.js";
import type { Shape, Tensor } from "../memory/tensor.js";
import type { CommonOptions, Dialect, Group, Rule, Settled } from "./rule.js";

/** Marks a group whose rate and base rate were loaded from a saved state and that nobody has set since. */
export const RESTORED: unique symbol = Symbol.for("gradstep/restored");

/** Reads one group's options: those `given`, else a copy of those of `base`. In messages, names begin with `prefix`. */
export const groupOptions = <Options extends CommonOptions>(
  rule: Rule<Options>,
  prefix: string,
  base: Settled<Options>,
  given: Readonly<Record<string, unknown>>,
): Settled<Options> => readOptions<Settled<Options>>(rule, prefix, given, base, overflow);

/** Decoupled decay multiplies by lr·λ, which must be finite, too. */
function overflow({ lr, weightDecay }: Settled<CommonOptions>): Conflict | undefined {
  if (Math.fround(lr * weightDecay) !== Infinity) return undefined;
  return { option: "weightDecay", expected: "a number whose product with lr float32 can hold" };
}

/** The rule's defaults in the given dialect. */
export function defaultsOf<Options extends CommonOptions>(
  rule: Rule<Options>,
  dialect: unknown = "torch",
): Settled<Options> {
  const known = Object.keys(rule.defaults) as Dialect[];
  const chosen = oneOf(known, "keras=tensorflow optax=jax").read(rule.name, "dialect", dialect);
  return { ...rule.defaults[chosen], dialect: chosen } as Settled<Options>;
}

/** What other libraries call the options of optimizers and of steps: see `didYouMean`. */
export const ALIASES =
  "stateFormat=dtype,bits lr=learningrate,rate,eta,stepsize betas=b1,b2 weightDecay=decay,l2,wd,lambda groups=paramgroups,params " +
  "clipNorm=globalclipnorm,maxnorm,maxgradnorm,clipgradnorm gradScale=scale,lossscale zeroGrad=settonone";

/** Throws for an unknown option. Default of `known`: the options of a group. */
export function knownOptions<Options extends CommonOptions>(
  rule: Rule<Options>,
  prefix: string,
  given: object,
  known: readonly string[] = ["params", ...Object.keys(rule.kinds)],
): void {
  knownOnly(rule.name, prefix, given, known, { ...rule, aliases: `${rule.aliases} ${ALIASES}` });
}

const MEMBERS = "an array of tensor names, a RegExp or a function";

/** What chooses a group's tensors: a pattern for names, or a function. */
type Choice = RegExp | ((name: string, shape: Shape) => unknown);

const isChoice = (value: unknown): value is Choice => typeof value === "function" || kindOf(value) === "RegExp";

/** `search` ignores where a pattern with the flag g stopped last. */
const chooses = (choice: Choice, { name, shape }: Tensor): boolean =>
  typeof choice === "function" ? Boolean(choice(name, shape)) : name.search(choice) >= 0;

/**
 * Reads `groups`: the options of each, after those of the tensors that no group has; and each tensor's group. A tensor is in the
 * group that names it, else in the first that has a pattern or a function for it.
 */
export function readGroups<Options extends CommonOptions>(
  rule: Rule<Options>,
  params: ParameterDict,
  base: Settled<Options>,
  groups: unknown,
): { settled: Settled<Options>[]; groupOf: ReadonlyMap<Tensor, number> } {
  const { name } = rule;
  const tensors = params.tensors(name);
  const groupOf = new Map<Tensor, number>();
  const settled = [base];
  const choices: [choice: Choice, option: string, group: number][] = [];
  array(name, "groups", groups, "an array of groups").forEach((item, i) => {
    const prefix = `groups[${i}].`;
    const given = record(name, `groups[${i}]`, item);
    knownOptions(rule, prefix, given);
    const option = `${prefix}params`;
    const read = (member: unknown, option: string): void => {
      if (isChoice(member)) return void choices.push([member, option, i + 1]);
      if (typeof member !== "string") throw wrongType(name, option, "a tensor name, a RegExp or a function", member);
      const tensor = params.tensor(name, option, member);
      if (groupOf.has(tensor)) throw wrongValue(name, option, "each tensor once, in one group", member);
      groupOf.set(tensor, i + 1);
    };
    if (isChoice(given.params)) read(given.params, option);
    else array(name, option, given.params, MEMBERS).forEach((member, k) => read(member, `${option}[${k}]`));
    settled.push(groupOptions(rule, prefix, base, given));
  });
  for (const [choice, option, group] of choices) {
    const chosen = tensors.filter((tensor) => chooses(choice, tensor));
    if (chosen.length === 0)
      throw wrongValue(name, option, `what matches one of the tensors ${listOf(params.names)}`, choice);
    for (const tensor of chosen) if (!groupOf.has(tensor)) groupOf.set(tensor, group);
  }
  for (const tensor of tensors) if (!groupOf.has(tensor)) groupOf.set(tensor, 0);
  return { settled, groupOf };
}

/** Makes a group whose view is a proxy of its options that validates each option when it is set. */
export function makeGroup<Options extends CommonOptions>(
  rule: Rule<Options>,
  index: number,
  settled: Settled<Options>,
  params: readonly string[],
  shared: Float64Array,
  checkAlive: () => void,
): Group<Options> {
  const { name: owner, kinds } = rule;
  const prefix = `paramGroups[${index}].`;
  const text = { value: (): string => textOf({ ...options }) };
  const options = Object.defineProperties(
    { ...settled, params: Object.freeze(params) },
    // Not enumerable: these are not options of the rule, and no other group inherits them.
    {
      initialLr: { value: undefined, writable: true },
      [RESTORED]: { value: false, writable: true },
      toString: text,
      [INSPECT]: text,
    },
  ) as Group<Options>["options"];
  const refuse = (_: unknown, key: string | symbol = "options"): never => {
    throw new TypeError(`${owner}: "${prefix}${String(key)}" cannot change`);
  };
  const view = new Proxy<typeof options>(options, {
    set(_, key, value: unknown) {
      checkAlive();
      const name = String(key);
      const option = prefix + name;
      if (name === "params" || name === "dialect") refuse(_, key);
      if (name === "initialLr") Object.assign(options, { initialLr: readInitialLr(rule, owner, option, value) });
      else {
        knownOptions(rule, prefix, { [name]: value }, Object.keys(kinds));
        const kind = kinds[name as keyof Options];
        if (!kind.live) throw new TypeError(`${owner}: "${option}" is settled when the optimizer is made`);
        const read = kind.read(owner, option, value);
        if (name === "momentum" && (settled as { momentum?: unknown }).momentum === 0 && read !== 0)
          throw wrongValue(owner, option, "0 as at the start, when no momentum buffer was made", value);
        refuseConflict<Settled<Options>>(rule, prefix, { ...options, [name]: read }, overflow);
        Object.assign(options, { [name]: read }, name === "lr" && { [RESTORED]: false });
      }
      return true;
    },
    deleteProperty: refuse,
    defineProperty: refuse,
    preventExtensions: refuse,
  });
  return { options, view, occupied: params.length > 0, shared }; // `occupied` is no accessor, which would make every read of a group slow
}

/** Reads the base rate of schedules, which may be undefined. */
export function readInitialLr<Options extends CommonOptions>(
  { kinds }: Rule<Options>,
  owner: string,
  option: string,
  value: unknown,
): number | undefined {
  return value === undefined ? undefined : (kinds.lr as Kind<number>).read(owner, option, value);
}
