// tsx bench/rows.ts: what a sparse step costs. 1,000 scattered rows of 64 in a table of 1,000,000 × 64, and of a hundredth
// as many rows in all, against the dense step on the whole table, in turns; up to 1.3 GB of memory.
import * as gradstep from "gradstep";
import { inTurns, median, ratio } from "./turns.js";

const WIDTH = 64;
const PICKED = 1000;
const rules = ["SGD", "Adagrad", "Adam"] as const;

/** Rows all over the table, unsorted, each once: 7919 has no factor in common with the counts below. */
const scattered = (count: number): Uint32Array => Uint32Array.from({ length: PICKED }, (_, i) => (i * 7919) % count);

function measure(rule: (typeof rules)[number], count: number): void {
  const params = new gradstep.ParameterDict({ table: [count, WIDTH] }, { slots: rule === "SGD" ? 0 : 2 });
  params.data.table.fill(0.5);
  params.grad.table.fill(0.01);
  const optimizer = new gradstep[rule](params, { lr: 1e-3 });
  const rows = { table: scattered(count) };
  const [dense, sparse] = inTurns(
    [
      { run: () => void optimizer.step(), calls: 1 },
      { run: () => void optimizer.step({ rows }), calls: 20 },
    ],
    9,
    3,
  );
  const ms = (seconds: readonly number[]): string => `${(median(seconds) * 1e3).toFixed(3)} ms`;
  console.log(
    `${rule.padEnd(8)} ${count} x ${WIDTH}: dense ${ms(dense)}, ${PICKED} rows ${ms(sparse)}: 1/${ratio(dense, sparse).toFixed(0)}`,
  );
  optimizer.dispose();
  params.dispose();
}

for (const count of [1_000_000, 10_000]) for (const rule of rules) measure(rule, count);
