// JSON as a tree that can hold what JSON.stringify would not write: names twice, numbers in any spelling.
import fc from "fast-check";

export type Tree =
  { kind: "object"; members: [string, Tree][] } | { kind: "list"; items: Tree[] } | { kind: "text"; text: string };

export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: "list", items: value.map(treeOf) };
  if (typeof value === "object" && value !== null)
    return { kind: "object", members: Object.entries(value).map(([name, item]) => [name, treeOf(item)]) };
  return { kind: "text", text: JSON.stringify(value) };
}

export function textOf(tree: Tree): string {
  if (tree.kind === "text") return tree.text;
  if (tree.kind === "list") return `[${tree.items.map(textOf).join(",")}]`;
  return `{${tree.members.map(([name, item]) => `${JSON.stringify(name)}:${textOf(item)}`).join(",")}}`;
}

/** What a file holds where something else is expected. */
const odd = [
  ...["null", "true", "false", "0", "-0", "-1", "0.5", "1e39", "1e308", "1e999", "-1e999", "NaN", "9007199254740992"],
  ...['""', '"__proto__"', '"constructor"', '"F32"', '"BF16"', '"I64"', '"F4"', '"Infinity"', '"\\ud800"', '"\\x"'],
  ...["[]", "{}", "[0]", "[[]]", '{"$":"tensor"}', '{"$":"NaN"}', '{"$":"undefined"}', '{"$":"object","entries":[]}'],
  ...[
    '{"toString":1,"valueOf":1}',
    '{"__proto__":{"x":1}}',
    '{"length":-1}',
    "[1,2,3,4,5,6,7,8,9]",
    "1e",
    "}",
    "\u0000",
  ],
  ...[
    JSON.stringify("long ".repeat(1000)),
    "[".repeat(600) + "]".repeat(600),
    '{"a":'.repeat(300) + "1" + "}".repeat(300),
  ],
];
const names = ["", "__proto__", "constructor", "__metadata__", "gradstep", "param_groups", "w", "v", "state.w.step"];

/** One change somewhere in a tree; `at` says where. */
export interface Change {
  kind: "replace" | "remove" | "rename" | "double" | "copy" | "wrap";
  at: number;
  from: number;
  text: string;
  name: string;
}

export const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom("replace", "remove", "rename", "double", "copy", "wrap"),
  at: fc.nat(),
  from: fc.nat(),
  text: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...odd) }, fc.json({ maxDepth: 2 })),
  name: fc.oneof(fc.constantFrom(...names, "n".repeat(3000)), fc.string()),
});

/** A place in a tree, and how to change what is there. */
interface Place {
  get: () => Tree;
  set: (tree: Tree) => void;
  remove: () => void;
  rename: (name: string) => void;
  double: (name: string | undefined) => void;
}

function placesIn(tree: Tree, found: Place[] = []): Place[] {
  const list: unknown[] = tree.kind === "object" ? tree.members : tree.kind === "list" ? tree.items : [];
  list.forEach((_, i) => {
    const get = (): Tree => (tree.kind === "object" ? tree.members[i][1] : (list[i] as Tree));
    found.push({
      get,
      set: (next) => (tree.kind === "object" ? (tree.members[i] = [tree.members[i][0], next]) : (list[i] = next)),
      remove: () => list.splice(i, 1),
      rename: (name) => tree.kind === "object" && (tree.members[i] = [name, get()]),
      double: (name) => list.push(tree.kind === "object" ? [name ?? tree.members[i][0], get()] : get()),
    });
    placesIn(get(), found);
  });
  return found;
}

/** Changes a tree in place. */
export function apply(tree: Tree, { kind, at, from, text, name }: Change): void {
  const places = placesIn(tree);
  if (places.length === 0) return;
  const place = places[at % places.length];
  if (kind === "replace") place.set({ kind: "text", text });
  if (kind === "remove") place.remove();
  if (kind === "rename") place.rename(name);
  if (kind === "double") place.double(from % 2 === 0 ? name : undefined);
  if (kind === "copy") place.set(structuredClone(places[from % places.length].get()));
  if (kind === "wrap") place.set({ kind: "list", items: [place.get()] });
}
