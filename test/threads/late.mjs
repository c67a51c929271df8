// A worker that is late: at random, it is delayed before and after it claims a block.
const { performance } = process.getBuiltinModule("node:perf_hooks");
let x = 1;
function holdUp() {
  x = (Math.imul(x, 1103515245) + 12345) >>> 0;
  if (x >>> 30 !== 0) return;
  for (const until = performance.now() + (x & 0xff) / 1000; performance.now() < until;);
}

const sub = Atomics.sub;
Atomics.sub = (...args) => {
  holdUp();
  const left = sub(...args);
  holdUp();
  return left;
};
await import("../../dist/threads/worker.js");
