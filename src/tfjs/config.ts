import { env } from "@tensorflow/tfjs-core";
import { record, wrongType, wrongValue } from "../util/check.js";
import { type GroupSpec, type Member, isPattern, textOf } from "./groups.js";
import { type Budget, type Pattern, SafePattern, newBudget } from "./safe-pattern.js";

// Converts options to the config that TensorFlow.js saves with a model, and back. TensorFlow.js rewrites strings in a saved
// config in camel case ("dense_1/bias" becomes "dense1/bias") except under the key "name", so strings are stored under it.

/** Names that users look for on the optimizer: see `describe`. */
export const FOREIGN =
  "lr=learningRate param_groups=paramGroups state_dict=getWeights() load_state_dict=setWeights() " +
  "zero_grad,step=minimize() clipnorm,clip_norm=clipNorm";

/** Options as plain JSON that survives saving with a model. JSON has no infinity: such numbers become strings. */
export function encode(value: unknown): unknown {
  if (typeof value === "string") return { name: value };
  if (typeof value === "number" && !Number.isFinite(value)) return { number: { name: String(value) } };
  if (isPattern(value)) return { pattern: { name: value.source }, flags: { name: value.flags } };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, encode(item)]])),
    );
  return value;
}

/** The inverse of {@link encode}. Patterns become {@link SafePattern}s, since a file is not trusted. */
function decode(owner: string, value: unknown, budget: Budget): unknown {
  const inner = (item: unknown) => decode(owner, item, budget);
  if (Array.isArray(value)) return value.map(inner);
  if (typeof value !== "object" || value === null) return value;
  const { name, number, pattern, flags } = value as Record<string, unknown>;
  if (typeof name === "string") return name;
  if (number !== undefined) return Number(inner(number));
  if (pattern !== undefined) return readPattern(owner, inner(pattern), inner(flags), budget);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(item)]));
}

function readPattern(owner: string, source: unknown, flags: unknown, budget: Budget): SafePattern {
  if (typeof source !== "string") throw wrongType(owner, "config.groups", "a pattern's source", source);
  try {
    return new SafePattern(source, String(flags), budget);
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 100) : "";
    throw wrongValue(owner, "config.groups", `a pattern that a file may hold (here: ${reason})`, source);
  }
}

/** Reads the rule's name and the options from a config. TensorFlow.js adds `customObjects`, which is ignored. */
export function readConfig(owner: string, config: unknown): { rule: unknown; options: Record<string, unknown> } {
  const given = decode(owner, without(record(owner, "config", config), "customObjects"), newBudget());
  const { rule, learningRate, ...options } = given as Record<string, unknown>;
  if (learningRate === undefined) return { rule, options };
  if (options.lr !== undefined && options.lr !== learningRate)
    throw wrongValue(owner, "config.lr", "nothing beside another learningRate", options.lr);
  return { rule, options: { ...options, lr: learningRate } };
}

/**
 * Turns off a check of TensorFlow.js's debug mode that rejects saved strings as arrays of the wrong shape. A microtask turns
 * it on again: the weights of a model are decoded synchronously after its optimizer is created.
 */
export function allowStrings(): void {
  const flag = "TENSORLIKE_CHECK_SHAPE_CONSISTENCY";
  if (!env().getBool(flag)) return;
  env().set(flag, false);
  void Promise.resolve().then(() => env().set(flag, true));
}

/** A live group's options, in the form that the constructor takes. */
export function optionsOf(group: object): Record<string, unknown> {
  return without(group, "params", "dialect", "initialLr");
}

function without(given: object, ...keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([key]) => !keys.includes(key)));
}

const warned = new WeakSet<Pattern>();

/**
 * The groups in the form that the constructor takes, with their current options. A pattern that {@link SafePattern} cannot
 * represent is replaced by the names that it has matched.
 */
export function groupsOf(
  owner: string,
  specs: readonly GroupSpec[],
  live: readonly { readonly params: readonly string[] }[],
): Record<string, unknown>[] {
  const budget = newBudget();
  const listed = new Set(specs.flatMap(({ members }) => members.filter((member) => typeof member === "string")));
  return specs.map(({ members }, i) => {
    const params = members.flatMap((member): Member[] => {
      if (typeof member === "string" || fits(member, budget)) return [member];
      if (!warned.has(member))
        console.warn(
          `${owner}: no file may hold the pattern ${textOf(member)}; the names it has matched are saved instead`,
        );
      warned.add(member);
      const names = live[i + 1].params.filter((name) => !listed.has(name));
      for (const name of names) listed.add(name);
      return names;
    });
    return { params, ...optionsOf(live[i + 1]) };
  });
}

function fits({ source, flags }: Pattern, budget: Budget): boolean {
  try {
    return new SafePattern(source, flags, budget).source === source;
  } catch {
    return false;
  }
}
