import { record, wrongType, wrongValue } from "../util/check.js";
import { listNames, unnumbered } from "./names.js";
import { type Pattern, SafePattern } from "./pattern.js";

/** Who belongs to a group: variables by name, or by a pattern that the name matches; each with or without TensorFlow.js's number. */
export type Members = RegExp | readonly (string | RegExp)[];

/** Variables with options of their own. */
export type VariableGroup<Options> = Options & {
  /** Names of variables, patterns that their names match, or both. A variable is in the first group that has it. */
  readonly params: Members;
};

/** One of a group's members, as it was asked for. */
export type Member = string | Pattern;

/** A group as it was asked for: its members, and its options. */
export interface GroupPlan {
  readonly members: readonly Member[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** Reads the `groups` that a user gives; their options are left to the rule. */
export function readGroups(owner: string, groups: unknown): readonly GroupPlan[] {
  if (groups === undefined) return [];
  if (!Array.isArray(groups)) throw wrongType(owner, "groups", "an array of groups", groups);
  const named = new Set<string>();
  return groups.map((item: unknown, i) => {
    const { params, ...options } = record(owner, `groups[${i}]`, item);
    const name = `groups[${i}].params`;
    const list: unknown = isPattern(params) ? [params] : params;
    if (!Array.isArray(list)) throw wrongType(owner, name, "a RegExp, or an array of variables' names", params);
    const members = list.map((member: unknown, k) => {
      const option = `${name}[${k}]`;
      if (member instanceof SafePattern) return member;
      if (isPattern(member)) return new RegExp(member.source, member.flags.replace(/[gy]/g, ""));
      if (typeof member !== "string") throw wrongType(owner, option, "a variable's name or a RegExp", member);
      if (named.has(member)) throw wrongValue(owner, option, "each variable once, in one group", member);
      named.add(member);
      return member;
    });
    return { members, options };
  });
}

/**
 * The number of the group that a variable belongs to; 0, the first, when none names it. Its whole name comes first.
 * @param exists Whether there is a variable of a name.
 */
export function groupOf(plans: readonly GroupPlan[], variable: string, exists: (name: string) => boolean): number {
  const found = plans.findIndex(({ members }) => members.some((member) => has(member, variable)));
  if (found >= 0) return 1 + found;
  return 1 + plans.findIndex(({ members }) => members.some((member) => hasUnnumbered(member, variable, exists)));
}

const has = (member: Member, name: string): boolean =>
  typeof member === "string" ? member === name : member.test(name);

/** Whether a member means a variable but for the number that TensorFlow.js has added to one of the two names. */
function hasUnnumbered(member: Member, name: string, exists: (name: string) => boolean): boolean {
  const plain = unnumbered(name);
  if (typeof member === "string" && unnumbered(member) === name && !exists(member)) return true;
  return plain !== name && has(member, plain);
}

/** A member as its writer knows it. */
export const textOf = (member: Member): string =>
  typeof member === "string" ? member : `/${member.source}/${member.flags}`;

/** Warns of members that no variable has; not of groups that loaded state has filled, under whatever names. */
export function warnOfUnmatched(
  owner: string,
  plans: readonly GroupPlan[],
  names: readonly string[],
  filled: (group: number) => boolean,
): void {
  const exists = (name: string) => names.includes(name);
  const unmatched = plans.flatMap(({ members }, g) =>
    members
      .filter((member) => !filled(g) && !names.some((name) => has(member, name) || hasUnnumbered(member, name, exists)))
      .map((member) => `groups[${g}]: ${textOf(member)}`),
  );
  if (unmatched.length > 0)
    console.warn(`${owner}: no variable has the name or matches the pattern of ${listNames(unmatched)}`);
}

/** A RegExp, of any realm. */
export const isPattern = (value: unknown): value is Pattern =>
  value instanceof SafePattern || Object.prototype.toString.call(value) === "[object RegExp]";

/** A group that stays the same object while `current` changes: what is read or set goes to the one of now. */
export function steadyFace<Group extends object>(current: () => Group): Group {
  return new Proxy({} as Group, {
    get: (_, key) => Reflect.get(current(), key) as unknown,
    set: (_, key, value) => Reflect.set(current(), key, value),
    has: (_, key) => Reflect.has(current(), key),
    ownKeys: () => Reflect.ownKeys(current()),
    getOwnPropertyDescriptor: (_, key) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(current(), key);
      return descriptor && { ...descriptor, configurable: true };
    },
    deleteProperty: (_, key) => Reflect.deleteProperty(current(), key),
    defineProperty: (_, key, descriptor) => Reflect.defineProperty(current(), key, descriptor),
    preventExtensions: () => Reflect.preventExtensions(current()),
  });
}
