// Invalid arguments, as people pass them by mistake or on purpose.

class AClassWithANameThatIsLongerThanMostPeopleWouldEverThinkOfGivingToAnything {
  readonly lr = 1;
}
const nested = (depth: number): unknown[] =>
  Array.from({ length: 8 }, () => (depth > 0 ? nested(depth - 1) : "x".repeat(50)));
const cyclic: unknown[] = [];
cyclic.push(cyclic, cyclic);
const hostile = new Proxy(
  {},
  {
    get: (target, key): unknown => (key === "then" ? undefined : Reflect.get(target, key)),
  },
);

/** Values of every type. */
export const junk: readonly unknown[] = [
  undefined,
  null,
  true,
  NaN,
  -1,
  -0.5,
  1.5,
  Infinity,
  -Infinity,
  1e39,
  2 ** 53,
  "",
  "0.1",
  "long".repeat(2000),
  "line\nbreak \u{1f600} \ud800",
  10n ** 600n,
  Symbol("a symbol"),
  () => 0,
  AClassWithANameThatIsLongerThanMostPeopleWouldEverThinkOfGivingToAnything,
  [],
  [NaN],
  [0.9],
  [0.9, "0.99"],
  [null, undefined],
  nested(3),
  cyclic,
  new Array(5),
  {},
  { lr: 1 },
  { ["key".repeat(500)]: 1 },
  { params: "w" },
  Object.create(null),
  hostile,
  new Map([["lr", 1]]),
  new Date(0),
  new AClassWithANameThatIsLongerThanMostPeopleWouldEverThinkOfGivingToAnything(),
  Object.create({ constructor: { name: "n".repeat(1000) } }),
  Object.create({ constructor: { name: Symbol("name") } }),
  Object.create({ constructor: null }),
  { constructor: { name: Symbol("name") } },
  { [Symbol.toStringTag]: "t".repeat(1000) },
  new Float32Array(3),
  new Float64Array([NaN]),
  new BigInt64Array(2),
  new DataView(new ArrayBuffer(8)),
  new ArrayBuffer(8),
  Promise.resolve(1),
  new Error("an error"),
  globalThis,
];
