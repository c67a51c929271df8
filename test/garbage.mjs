// Run by garbage.test.ts with --expose-gc: how much the heap grows over so many steps, medians of nine runs. Nothing is
// printed between, and no collection runs between the two readings unless the steps make garbage.
import * as gradstep from "gradstep";

const { rule, options, groups, shapes, riders } = JSON.parse(process.argv[2]);
const params = new gradstep.ParameterDict(shapes);
const optimizer = new gradstep[rule](params, { ...options, ...(groups ? { groups } : {}) });
for (const name of params.names) params.grad[name].fill(0.01);
const average = new gradstep.WeightEma(params);
const stepOptions = riders ? { clipNorm: 0.5, zeroGrad: true, average } : { gradScale: 0.5, skip: ["c"] };

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
growth(0);
const counts = [0, 10_000, 40_000];
console.log(JSON.stringify(counts.map(growth)));
