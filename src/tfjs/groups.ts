import { record, wrongType, wrongValue } from "../util/check.js";
import { listNames, unnumbered } from "./names.js";
import { type Pattern, SafePattern } from "./safe-pattern.js";

/** The variables of a group, by name or pattern. Either may match with or without the number that TensorFlow.js appends. */
export type Members = RegExp | readonly (string | RegExp)[];

/** Variables with options of their own. */
export type VariableGroup<Options> = Options & {
  /** Names of variables, patterns for names, or both. A variable belongs to the first group that matches. */
  readonly params: Members;
};

/** A member of a group as the user gave it. */
export type Member = string | Pattern;

/** A group as the user gave it. */
export interface GroupSpec {
  readonly members: readonly Member[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** Validates the `groups` option, but not the options of the rule in each group. */
export function readGroups(owner: string, groups: unknown): readonly GroupSpec[] {
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
 * The index of a variable's group; 0, the default group, if none matches. A match of the full name in any group goes first.
 * @param exists Whether there is a variable with a given name.
 */
export function groupOf(specs: readonly GroupSpec[], variable: string, exists: (name: string) => boolean): number {
  const found = specs.findIndex(({ members }) => members.some((member) => has(member, variable)));
  if (found >= 0) return 1 + found;
  return 1 + specs.findIndex(({ members }) => members.some((member) => hasUnnumbered(member, variable, exists)));
}

const has = (member: Member, name: string): boolean =>
  typeof member === "string" ? member === name : member.test(name);

/** Whether a member matches a variable once the number that TensorFlow.js appended to either name is ignored. */
function hasUnnumbered(member: Member, name: string, exists: (name: string) => boolean): boolean {
  const plain = unnumbered(name);
  if (typeof member === "string" && unnumbered(member) === name && !exists(member)) return true;
  return plain !== name && has(member, plain);
}

/** A member as the user wrote it. */
export const textOf = (member: Member): string =>
  typeof member === "string" ? member : `/${member.source}/${member.flags}`;

/** Warns about members that match no variable, except in groups that loaded state has filled. */
export function warnOfUnmatched(
  owner: string,
  specs: readonly GroupSpec[],
  names: readonly string[],
  filled: (group: number) => boolean,
): void {
  const exists = (name: string) => names.includes(name);
  const unmatched = specs.flatMap(({ members }, g) =>
    members
      .filter((member) => !filled(g) && !names.some((name) => has(member, name) || hasUnnumbered(member, name, exists)))
      .map((member) => `groups[${g}]: ${textOf(member)}`),
  );
  if (unmatched.length > 0)
    console.warn(`${owner}: no variable has the name or matches the pattern of ${listNames(unmatched)}`);
}

/** Whether a value is a RegExp, of any realm, or a {@link SafePattern}. */
export const isPattern = (value: unknown): value is Pattern =>
  value instanceof SafePattern || Object.prototype.toString.call(value) === "[object RegExp]";

/** A proxy that forwards every access to `current()`, so that users keep one object while groups are replaced. */
export function liveGroup<Group extends object>(current: () => Group): Group {
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
