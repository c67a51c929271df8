import { env } from "@tensorflow/tfjs-core";
import { record, wrongType, wrongValue } from "../util/check.js";
import { type GroupPlan, type Member, isPattern, textOf } from "./groups.js";
import { type Budget, type Pattern, SafePattern, newBudget } from "./pattern.js";

// TensorFlow.js turns the strings of a saved config into camel case ("dense_1/bias" into "dense1/bias"), all but those
// under the key "name": so every string of ours stands there. JSON has no infinity.

/** Options as plain JSON that passes through a saved model unchanged. */
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

/** What {@link encode} was given, with patterns that any file may hold. */
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

/** The rule's name and the options in a config. TensorFlow.js adds `customObjects`, which are none of ours. */
export function readConfig(owner: string, config: unknown): { rule: unknown; options: Record<string, unknown> } {
  const given = decode(owner, without(record(owner, "config", config), "customObjects"), newBudget());
  const { rule, learningRate, ...options } = given as Record<string, unknown>;
  if (learningRate === undefined) return { rule, options };
  if (options.lr !== undefined && options.lr !== learningRate)
    throw wrongValue(owner, "config.lr", "nothing beside another learningRate", options.lr);
  return { rule, options: { ...options, lr: learningRate } };
}

/**
 * In debug mode TensorFlow.js takes the bytes of a saved string for an array of the wrong shape, and refuses the file. What
 * decodes the weights of a model runs right after the optimizer is made, before any promise.
 */
export function allowStrings(): void {
  const flag = "TENSORLIKE_CHECK_SHAPE_CONSISTENCY";
  if (!env().getBool(flag)) return;
  env().set(flag, false);
  void Promise.resolve().then(() => env().set(flag, true));
}

/** A live group's options, as they can be given again. */
export function optionsOf(group: object): Record<string, unknown> {
  return without(group, "params", "dialect", "initialLr");
}

function without(given: object, ...keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([key]) => !keys.includes(key)));
}

const warned = new WeakSet<Pattern>();

/**
 * The groups as they can be given again: members as planned, options as they are now. For a pattern that no file may hold,
 * the names that it has matched.
 */
export function groupsOf(
  owner: string,
  plans: readonly GroupPlan[],
  live: readonly { readonly params: readonly string[] }[],
): Record<string, unknown>[] {
  const budget = newBudget();
  const listed = new Set(plans.flatMap(({ members }) => members.filter((member) => typeof member === "string")));
  return plans.map(({ members }, i) => {
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
