// npm run bench: every rule against its plain JavaScript loop, in turns, in one process.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import * as gradstep from "gradstep";
import * as loops from "./loops.js";
import * as norms from "./norms.js";
import { type Rounds, inTurns, median, ratio } from "./turns.js";

interface Contest {
  name: string;
  make: (params: gradstep.ParameterDict) => gradstep.StepOptimizer;
  loop: loops.Loop;
  /** State buffers; a step reads parameters, gradient and these, and writes all but the gradient. */
  slots: number;
}

const contests: Contest[] = [
  { name: "SGD", make: (p) => new gradstep.SGD(p, { lr: 0.01 }), loop: loops.sgd, slots: 0 },
  { name: "momentum", make: (p) => new gradstep.SGD(p, { lr: 0.01, momentum: 0.9 }), loop: loops.momentum, slots: 1 },
  {
    name: "Nesterov",
    make: (p) => new gradstep.SGD(p, { lr: 0.01, momentum: 0.9, nesterov: true }),
    loop: loops.nesterov,
    slots: 1,
  },
  { name: "Adagrad", make: (p) => new gradstep.Adagrad(p), loop: loops.adagrad, slots: 1 },
  { name: "Adadelta", make: (p) => new gradstep.Adadelta(p), loop: loops.adadelta, slots: 2 },
  { name: "RMSprop", make: (p) => new gradstep.RMSprop(p), loop: loops.rmsprop, slots: 1 },
  { name: "Adam", make: (p) => new gradstep.Adam(p), loop: loops.adam, slots: 2 },
  { name: "AdamW", make: (p) => new gradstep.AdamW(p), loop: loops.adamw, slots: 2 },
  { name: "NAdam", make: (p) => new gradstep.NAdam(p), loop: loops.nadam, slots: 2 },
  { name: "Adamax", make: (p) => new gradstep.Adamax(p), loop: loops.adamax, slots: 2 },
  { name: "RAdam", make: (p) => new gradstep.RAdam(p), loop: loops.radam, slots: 2 },
  { name: "ASGD", make: (p) => new gradstep.ASGD(p), loop: loops.asgd, slots: 1 },
  { name: "Rprop", make: (p) => new gradstep.Rprop(p), loop: loops.rprop, slots: 2 },
  { name: "Lion", make: (p) => new gradstep.Lion(p), loop: loops.lion, slots: 1 },
  { name: "AdaBelief", make: (p) => new gradstep.AdaBelief(p), loop: loops.adabelief, slots: 2 },
  { name: "Yogi", make: (p) => new gradstep.Yogi(p), loop: loops.yogi, slots: 2 },
  { name: "Adan", make: (p) => new gradstep.Adan(p), loop: loops.adan, slots: 4 },
  { name: "ADOPT", make: (p) => new gradstep.ADOPT(p), loop: loops.adopt, slots: 2 },
  { name: "AdEMAMix", make: (p) => new gradstep.AdEMAMix(p), loop: loops.ademamix, slots: 3 },
  { name: "MADGRAD", make: (p) => new gradstep.MADGRAD(p), loop: loops.madgrad, slots: 3 },
  { name: "Ftrl", make: (p) => new gradstep.Ftrl(p), loop: loops.ftrl, slots: 2 },
  { name: "LAMB", make: (p) => new gradstep.LAMB(p), loop: norms.lamb, slots: 3 },
  {
    name: "LARS",
    make: (p) => new gradstep.LARS(p, { momentum: 0.9, weightDecay: 1e-4 }),
    loop: norms.lars,
    slots: 1,
  },
  { name: "NovoGrad", make: (p) => new gradstep.NovoGrad(p), loop: norms.novograd, slots: 1 },
  { name: "Adafactor", make: (p) => new gradstep.Adafactor(p), loop: norms.adafactor, slots: 2 },
];

const layouts: { name: string; lengths: number[] }[] = [
  ...[1024, 16_384, 262_144, 4_194_304].map((n) => ({ name: n.toLocaleString("en"), lengths: [n] })),
  { name: "100 × 1,000", lengths: Array.from({ length: 100 }, () => 1000) },
];

/** Seconds a step of both contenders, and of ours on one flat tensor of the same size where there are several. */
function run(contest: Contest, lengths: number[], rounds: number): { ours: Rounds; theirs: Rounds; flat?: Rounds } {
  const ours = gradients(new gradstep.ParameterDict(Object.fromEntries(lengths.map((n, i) => [`t${i}`, [n]]))));
  const optimizer = contest.make(ours);
  const tensors = lengths.map((n, i) => ({
    p: ours.data[`t${i}`].slice(),
    g: ours.grad[`t${i}`].slice(),
    slots: Array.from({ length: contest.slots }, () => new Float32Array(n)),
  }));
  let t = 0;
  const total = lengths.reduce((sum, n) => sum + n, 0);
  const contenders = [
    () => optimizer.step(),
    () => {
      t = (t % 50) + 1; // NAdam's loop multiplies t factors: keep that small beside the elements
      for (const { p, g, slots } of tensors) contest.loop(p, g, slots, t);
    },
  ];
  if (lengths.length > 1) {
    const flat = contest.make(gradients(new gradstep.ParameterDict({ all: [total] })));
    contenders.push(() => flat.step());
  }
  const calls = (nanoseconds: number): number => Math.max(1, Math.round(2e5 / (total * nanoseconds)));
  const [a, b, c] = inTurns(
    contenders.map((step, k) => ({ run: step, calls: calls(k === 1 ? 5 : 0.7) })),
    rounds,
  );
  return lengths.length > 1 ? { ours: a, theirs: b, flat: c } : { ours: a, theirs: b };
}

/** Real numbers everywhere: zeros would make denormals, which are slow for all. */
function gradients(params: gradstep.ParameterDict): gradstep.ParameterDict {
  for (const name of params.names)
    for (const view of [params.data[name], params.grad[name]])
      for (let i = 0; i < view.length; i++) view[i] = Math.sin(i * 12.9898 + view.byteOffset) * 0.1 + 0.001;
  return params;
}

const { values } = parseArgs({ options: { rule: { type: "string" }, rounds: { type: "string", default: "15" } } });
const chosen = contests.filter(({ name }) => !values.rule || name.toLowerCase() === values.rule.toLowerCase());
if (chosen.length === 0) {
  console.error(`--rule: one of ${contests.map((c) => c.name).join(", ")}`);
  process.exit(2);
}

for (const contest of contests) run(contest, [1024], 3); // both sides compiled, call sites shared by all rules
const table = new Table({
  head: ["rule", "elements", "gradstep ns", "GB/s", "loop ns", "times faster", "÷ flat"],
  style: { head: [], border: [] },
  colAligns: ["left", "right", "right", "right", "right", "right", "right"],
});
for (const contest of chosen)
  for (const { name, lengths } of layouts) {
    const total = lengths.reduce((sum, n) => sum + n, 0);
    const { ours, theirs, flat } = run(contest, lengths, Number(values.rounds));
    const perElement = (rounds: Rounds): number => (median(rounds) / total) * 1e9;
    const bytes = 4 * (3 + 2 * contest.slots);
    table.push([
      contest.name,
      name,
      perElement(ours).toFixed(2),
      (bytes / perElement(ours)).toFixed(0),
      perElement(theirs).toFixed(2),
      `${ratio(theirs, ours).toFixed(1)}×`,
      flat ? ratio(ours, flat).toFixed(2) : "",
    ]);
  }
console.log(table.toString());
console.log(
  `${cpus()[0].model}, Node ${process.versions.node}; medians of ${values.rounds} rounds in turns, ratios by pairs`,
);
