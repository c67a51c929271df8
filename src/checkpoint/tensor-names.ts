// Names in files: of tensors, of their optimizer state and of their options in param_groups, and the user's renaming.
import { wrongType, wrongValue } from "../util/check.js";
import { quote } from "./json.js";
import type { OptimizerState } from "../state/state-dict.js";
import { type Entry, isObject } from "./safetensors.js";
import type { Plain } from "./plain-values.js";

/** The parts of a name such as `state.<tensor>.<part>` or `param_groups.<tensor>.<part>`. */
interface Part {
  readonly tensor: string;
  readonly part: string;
}

function partOf(prefix: string, name: string): Part | undefined {
  const dot = name.lastIndexOf(".");
  if (!name.startsWith(prefix) || dot < prefix.length) return undefined;
  return { tensor: name.slice(prefix.length, dot), part: name.slice(dot + 1) };
}

const [STATE, GROUPS] = ["state.", "param_groups."];
export const stateKey = (tensor: string, part: string): string => `${STATE}${tensor}.${part}`;
export const groupKey = (tensor: string, part: string): string => `${GROUPS}${tensor}.${part}`;

/** The user's function, called once per name. */
export type Rename = ((name: string) => string) | undefined;

export function renamer(rename: unknown): Rename {
  if (rename === undefined) return undefined;
  if (typeof rename !== "function") throw wrongType("load", "rename", "a function", rename);
  const known = new Map<string, string>();
  return (name) => {
    let to: unknown = known.get(name);
    if (to !== undefined) return to as string;
    to = (rename as (name: string) => unknown)(name);
    if (typeof to !== "string") throw wrongType("load", "rename", `a name for ${quote(name)}`, to);
    known.set(name, to);
    return to;
  };
}

/** Entries under new names, which must differ. */
export function renamed<T>(entries: ReadonlyMap<string, T>, rename: Rename): ReadonlyMap<string, T> {
  if (rename === undefined) return entries;
  const from = new Map<string, string>();
  const to = new Map<string, T>();
  for (const [name, entry] of entries) {
    const next = rename(name);
    if (to.has(next))
      throw wrongValue("load", "rename", `other names for ${quote(from.get(next) ?? "")} and ${quote(name)}`, next);
    from.set(next, name);
    to.set(next, entry);
  }
  return to;
}

/** The contents of another program's file, after `rename`. */
export interface Foreign {
  readonly tensors: ReadonlyMap<string, Entry>;
  /** Entries of `param_groups`. */
  readonly groups: ReadonlyMap<string, unknown>;
  /** Whether a name is that of optimizer state, for a tensor of the file or of `param_groups`. */
  readonly isState: (name: string) => boolean;
}

export function foreignNames(
  tensors: ReadonlyMap<string, Entry>,
  groups: ReadonlyMap<string, unknown>,
  rename: Rename,
): Foreign {
  const inGroups = new Set<string>();
  for (const key of groups.keys()) inGroups.add(partOf(GROUPS, key)?.tensor ?? key);
  const ofTensor = (prefix: string, name: string): Part | undefined => {
    const part = partOf(prefix, name);
    return part && (tensors.has(part.tensor) || inGroups.has(part.tensor)) ? part : undefined;
  };
  if (rename === undefined) return { tensors, groups, isState: (name) => ofTensor(STATE, name) !== undefined };

  const states = new Set<string>();
  const follow =
    (prefix: string, found: Set<string>) =>
    (name: string): string => {
      const part = ofTensor(prefix, name);
      if (part === undefined) return rename(name);
      const to = `${prefix}${rename(part.tensor)}.${part.part}`;
      found.add(to);
      return to;
    };
  return {
    tensors: renamed(tensors, follow(STATE, states)),
    groups: renamed(groups, follow(GROUPS, new Set())),
    isState: (name) => states.has(name),
  };
}

/** Renames the tensors of a state dict. Leaves anything else as it is, for the optimizer to refuse. */
export function underNames(saved: Plain, rename: Rename): Plain {
  if (rename === undefined || !isObject(saved) || !Array.isArray(saved.groups) || !isObject(saved.state)) return saved;
  const groups = saved.groups.map((group: Plain) =>
    isObject(group) && Array.isArray(group.params)
      ? { ...group, params: group.params.map((name: Plain) => (typeof name === "string" ? rename(name) : name)) }
      : group,
  );
  return { ...saved, groups, state: Object.fromEntries(renamed(new Map(Object.entries(saved.state)), rename)) };
}

/** A state dict for exactly the optimizer's tensors: of those it lacks, the optimizer's own state. */
export function fitting(saved: Plain, own: OptimizerState): unknown {
  if (!isObject(saved) || !Array.isArray(saved.groups) || !isObject(saved.state)) return saved;
  const { groups, state } = saved;
  if (groups.length !== own.groups.length) return saved;
  return {
    ...saved,
    groups: own.groups.map(({ params }, g) => ({ ...((groups as Plain[])[g] as object), params })),
    state: Object.fromEntries(
      Object.entries(own.state).map(([name, mine]) => [name, Object.hasOwn(state, name) ? state[name] : mine]),
    ),
  };
}
