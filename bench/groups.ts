// npm run bench:groups: a step of AdamW on 10,000 tensors, whose groups alternate, by the time of one tensor of their size.
import { AdamW, ParameterDict } from "gradstep";
import { gradients } from "./contests.js";
import { inTurns, ratio } from "./turns.js";

const TENSORS = 10_000;

/** Tensors of `length`, the k-th in group k modulo `groups`, each group with a rate and a decay of its own. */
function steps(tensors: number, length: number, groups: number): () => void {
  const names = Array.from({ length: tensors }, (_, i) => `t${i}`);
  const params: ParameterDict = new ParameterDict(Object.fromEntries(names.map((name) => [name, [length]])));
  const optimizer = new AdamW(gradients(params), {
    groups: Array.from({ length: groups - 1 }, (_, g) => ({
      params: names.filter((_, i) => i % groups === g + 1),
      lr: 1e-3 / (g + 2),
      weightDecay: 0.01 * g,
    })),
  });
  return () => void optimizer.step();
}

for (const length of [16, 64, 256]) {
  const contenders = [steps(1, TENSORS * length, 1), ...[1, 2, 3].map((groups) => steps(TENSORS, length, groups))];
  const [flat, ...grouped] = inTurns(
    contenders.map((run) => ({ run, calls: 4 })),
    30,
  );
  const shares = grouped.map((times, g) => `${ratio(times, flat).toFixed(3)} in ${g + 1} group${g > 0 ? "s" : ""}`);
  console.log(`${TENSORS.toLocaleString("en")} × ${length}: ${shares.join(", ")}`);
}
