// Run by garbage.slow.test.ts with --expose-gc: prints by how much the heap grows over some numbers of steps, as medians
// of five runs. Between the two readings of a run nothing is printed, and only garbage of the steps can start a collection.
import * as gradstep from "gradstep";

const { rule, options, groups, shapes, fused } = JSON.parse(process.argv[2]);
const params = new gradstep.ParameterDict(shapes);
const policy = fused ? { nonFinite: "throw" } : {};
const inner = new gradstep[rule](params, { ...options, ...policy, ...(groups ? { groups } : {}) });
const optimizer = fused ? new gradstep.Lookahead(inner, { k: 3 }) : inner;
const grads = Object.values(params.grad);
const average = new gradstep.WeightEma(params);
const stepOptions = fused ? { clipNorm: 0.5, zeroGrad: true, average, gradScale: 2 } : { gradScale: 0.5, skip: ["c"] };

function steps(count) {
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < grads.length; k++) grads[k].fill(0.01); // norms and factors that are not whole numbers
    optimizer.step();
    optimizer.step(stepOptions);
  }
}

function growth(count) {
  const runs = [];
  for (let run = 0; run < 5; run++) {
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    steps(count);
    runs.push(process.memoryUsage().heapUsed - before);
  }
  return runs.sort((a, b) => a - b)[2];
}

steps(10_000);
// On a busy machine V8 is still compiling then, which leaves garbage of its own.
for (let turn = 0; turn < 20 && growth(500) > growth(0); turn++) steps(10_000);
const counts = [0, 500, 2_000];
console.log(JSON.stringify(counts.map(growth)));
