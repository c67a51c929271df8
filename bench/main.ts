// npm run bench: every rule against its plain JavaScript loop, in turns, in one process.
import { cpus } from "node:os";
import Table from "cli-table3";
import { Command } from "commander";
import * as gradstep from "gradstep";
import { list, whole } from "./choices.js";
import { type Contest, contests, gradients, layoutName, layouts, model, sum } from "./contests.js";
import { type Rounds, inTurns, median, ratio } from "./turns.js";

const usual = ["1024", "16384", "262144", "4194304", "100x1000"];
const {
  rule: rules,
  sizes,
  rounds,
} = new Command("bench")
  .description("Takes each rule in turns with the same rule as a careful JavaScript loop.")
  .addOption(
    list(
      "--rule <names>",
      "rules",
      contests.map(({ name }) => name),
    ),
  )
  .addOption(list("--sizes <layouts>", "numbers of elements, or tensors x elements", Object.keys(layouts), usual))
  .option("--rounds <n>", "turns", whole, 15)
  .parse()
  .opts<{ rule: string[]; sizes: string[]; rounds: number }>();

/** Seconds a step of both contenders, and of ours on one flat tensor of the same size where there are several. */
function run(
  contest: Contest,
  lengths: readonly number[],
  rounds: number,
): { ours: Rounds; theirs: Rounds; flat?: Rounds } {
  const ours = model(gradstep, lengths);
  const optimizer = contest.make(gradstep, ours);
  const tensors = lengths.map((n, i) => ({
    p: ours.data[`t${i}`].slice(),
    g: ours.grad[`t${i}`].slice(),
    slots: Array.from({ length: contest.slots }, () => new Float32Array(n)),
  }));
  let t = 0;
  const total = sum(lengths);
  const contenders = [
    () => optimizer.step(),
    () => {
      t = (t % 50) + 1; // NAdam's loop multiplies t factors: keep that small beside the elements
      for (const { p, g, slots } of tensors) contest.loop(p, g, slots, t);
    },
  ];
  if (lengths.length > 1) {
    const flat = contest.make(gradstep, gradients(new gradstep.ParameterDict({ all: [total] })));
    contenders.push(() => flat.step());
  }
  const calls = (nanoseconds: number): number => Math.max(1, Math.round(2e5 / (total * nanoseconds)));
  const [a, b, c] = inTurns(
    contenders.map((step, k) => ({ run: step, calls: calls(k === 1 ? 5 : 0.7) })),
    rounds,
  );
  return lengths.length > 1 ? { ours: a, theirs: b, flat: c } : { ours: a, theirs: b };
}

for (const contest of contests) run(contest, [1024], 3); // both sides compiled, call sites shared by all rules
const table = new Table({
  head: ["rule", "elements", "gradstep ns", "GB/s", "loop ns", "times faster", "÷ flat"],
  style: { head: [], border: [] },
  colAligns: ["left", "right", "right", "right", "right", "right", "right"],
});
for (const contest of contests.filter(({ name }) => rules.includes(name)))
  for (const lengths of sizes.map((name) => layouts[name])) {
    const total = sum(lengths);
    const { ours, theirs, flat } = run(contest, lengths, rounds);
    const perElement = (rounds: Rounds): number => (median(rounds) / total) * 1e9;
    const bytes = 4 * (3 + 2 * contest.slots);
    table.push([
      contest.name,
      layoutName(lengths),
      perElement(ours).toFixed(2),
      (bytes / perElement(ours)).toFixed(0),
      perElement(theirs).toFixed(2),
      `${ratio(theirs, ours).toFixed(1)}×`,
      flat ? ratio(ours, flat).toFixed(2) : "",
    ]);
  }
console.log(table.toString());
console.log(`${cpus()[0].model}, Node ${process.versions.node}; medians of ${rounds} rounds in turns, ratios by pairs`);
