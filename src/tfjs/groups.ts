import { record, wrongType, wrongValue } from "../check.js";

/** Who belongs to a group: variables by name, or by a pattern that the name matches. */
export type Members = RegExp | readonly (string | RegExp)[];

/** Variables with options of their own. */
export type VariableGroup<Options> = Options & {
  /** Names of variables, patterns that their names match, or both. A variable is in the first group that has it. */
  readonly params: Members;
};

/** A group as it was asked for: its members, and its options. */
export interface GroupPlan {
  readonly members: readonly (string | RegExp)[];
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
    const list: unknown = params instanceof RegExp ? [params] : params;
    if (!Array.isArray(list)) throw wrongType(owner, name, "a RegExp, or an array of variables' names", params);
    const members = list.map((member: unknown, k) => {
      const option = `${name}[${k}]`;
      if (member instanceof RegExp) return new RegExp(member.source, member.flags.replace(/[gy]/g, ""));
      if (typeof member !== "string") throw wrongType(owner, option, "a variable's name or a RegExp", member);
      if (named.has(member)) throw wrongValue(owner, option, "each variable once, in one group", member);
      named.add(member);
      return member;
    });
    return { members, options };
  });
}

/** The number of the group that a variable belongs to; 0, the first, when none names it. */
export function groupOf(plans: readonly GroupPlan[], variable: string): number {
  const has = (member: string | RegExp) => (typeof member === "string" ? member === variable : member.test(variable));
  return 1 + plans.findIndex(({ members }) => members.some(has));
}

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
