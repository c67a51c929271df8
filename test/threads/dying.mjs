// A worker that dies in a block that it has claimed ("claim"), hangs in it ("hang"), throws in it ("throw"), or dies where it
// would go to sleep ("sleep").
const where = process.env.DIES_IN;
const { sub, wait } = Atomics;

Atomics.sub = (...args) => {
  const left = sub(...args);
  if (left > 0 && where === "claim") process.exit();
  if (left > 0 && where === "throw") throw new Error("no kernel");
  if (left > 0 && where === "hang") for (;;);
  return left;
};
Atomics.wait = (...args) => {
  if (where === "sleep") process.exit();
  return wait(...args);
};
await import("../../dist/threads/worker.js");
