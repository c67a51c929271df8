// Run by resume.slow.test.ts: goes on from every checkpoint in a folder, to the end, and writes another.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { load, save } from "../../src/checkpoint/index.js";
import { CUT, END, scenarios } from "./scenarios.js";

const folder = process.argv[2];
scenarios.forEach(({ begin }, i) => {
  const run = begin(true);
  const { extra } = load(readFileSync(join(folder, `${i}.cut`)), run.params, { optimizers: run.optimizers });
  for (const [name, part] of Object.entries(run.extra)) part.loadStateDict(extra[name] as never);
  for (let t = CUT + 1; t <= END; t++) run.step(t);
  const states = Object.fromEntries(Object.entries(run.extra).map(([name, part]) => [name, part.stateDict()]));
  writeFileSync(join(folder, `${i}.end`), save(run.params, { optimizers: run.optimizers, extra: states }));
});
