// Run by garbage.slow.test.ts with --expose-gc: how much the heap grows over so many steps, medians of nine runs. Nothing is
// printed between, and no collection runs between the two readings unless the steps make garbage.
import * as gradstep from "gradstep";

const { rule, options, groups, shapes, riders } = JSON.parse(process.argv[2]);
const params = new gradstep.ParameterDict(shapes);
const policy = riders ? { nonFinite: "throw" } : {};
const inner = new gradstep[rule](params, { ...options, ...policy, ...(groups ? { groups } : {}) });
const optimizer = riders ? new gradstep.Lookahead(inner, { k: 3 }) : inner;
for (const name of params.names) params.grad[name].fill(0.01);
const average = new gradstep.WeightEma(params);
const stepOptions = riders ? { clipNorm: 0.5, zeroGrad: true, average, gradScale: 2 } : { gradScale: 0.5, skip: ["c"] };

function steps(count) {
  for (let i = 0; i < count; i++) {
    optimizer.step();
    optimizer.step(stepOptions);
  }
}

function growth(count) {
  const runs = [];
  for (let run = 0; run < 9; run++) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    steps(count);
    runs.push(process.memoryUsage().heapUsed - before);
  }
  return runs.sort((a, b) => a - b)[4];
}

steps(20_000);
// On a busy machine V8 is still compiling then, which leaves garbage of its own.
for (let turn = 0; turn < 20 && growth(500) > growth(0); turn++) steps(10_000);
const counts = [0, 2_000, 10_000];
console.log(JSON.stringify(counts.map(growth)));
