import { record } from "../check.js";
import type { GroupPlan } from "./groups.js";

// TensorFlow.js turns the strings of a saved config into camel case ("dense_1/bias" into "dense1/bias"), all but those
// under the key "name": so every string of ours stands there. JSON has no infinity.

/** Options as plain JSON that passes through a saved model unchanged. */
export function encode(value: unknown): unknown {
  if (typeof value === "string") return { name: value };
  if (typeof value === "number" && !Number.isFinite(value)) return { number: { name: String(value) } };
  if (value instanceof RegExp) return { pattern: { name: value.source }, flags: { name: value.flags } };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, encode(item)]])),
    );
  return value;
}

/** What {@link encode} was given. */
export function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  const { name, number, pattern, flags } = value as Record<string, unknown>;
  if (typeof name === "string") return name;
  if (number !== undefined) return Number(decode(number));
  if (pattern !== undefined) return new RegExp(decode(pattern) as string, decode(flags) as string);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}

/** The rule's name and the options in a config. TensorFlow.js adds `customObjects`, which are none of ours. */
export function readConfig(owner: string, config: unknown): { rule: unknown; options: Record<string, unknown> } {
  const { rule, ...options } = decode(without(record(owner, "config", config), "customObjects")) as Record<
    string,
    unknown
  >;
  return { rule, options };
}

/** A live group's options, as they can be given again. */
export function optionsOf(group: object): Record<string, unknown> {
  return without(group, "params", "dialect", "initialLr");
}

function without(given: object, ...keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([key]) => !keys.includes(key)));
}

/** The groups as they can be given again: members as planned, options as they are now. */
export function groupsOf(plans: readonly GroupPlan[], live: readonly object[]): Record<string, unknown>[] {
  return plans.map(({ members }, i) => ({ params: members, ...optionsOf(live[i + 1]) }));
}
