// npm run bench:report: from results.json, the tables between the markers of docs/performance.md and README.md here, and docs/figures/speed-*.svg.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mnistChart, stepsChart } from "./charts.ts";
import { rules } from "./contender.ts";
import { models } from "./models.ts";
import type { Results } from "./results.ts";
import { distanceTable, mnistTable, networkTable, stepsTable } from "./text.ts";

const root = new URL("../../", import.meta.url);
const results = JSON.parse(readFileSync(new URL("results.json", import.meta.url), "utf8")) as Results;
const { machine, versions, date, rounds, networks } = results;

const measured = `Measured on ${date}: ${machine.processor}, ${machine.cores} cores shared with others, ${Object.entries(
  versions,
)
  .filter(([name]) => name !== "v8")
  .map(([name, version]) => `${name} ${version}`)
  .join(", ")}. Medians of ${rounds} turns (3 where a step takes over 0.3 s); ratios by pairs of neighbouring turns.`;

const trained = [
  `Training a convolutional net and a small GPT with Adam, measured on ${networks.date}: time of all the process's threads on a processor, and time by the clock; medians of up to ${networks.rounds} turns.`,
  ...models.map((model) => networkTable(results, model)),
];

write(
  "docs/performance.md",
  [
    "![A step of each optimizer](figures/speed-steps.svg)",
    "Nanoseconds a parameter and step, and how many times gradstep's time that is, by number of parameters:",
    stepsTable(results, "adam"),
    "![Training on MNIST](figures/speed-mnist.svg)",
    mnistTable(results),
    ...trained,
    measured,
  ].join("\n\n"),
);
write(
  "bench/peers/README.md",
  [
    measured,
    "Nanoseconds an element; then how many times gradstep's time that is, with its quartiles.",
    ...rules
      .filter((rule) => results.steps.some((one) => one.rule === rule))
      .map((rule) => stepsTable(results, rule, true)),
    "The distance to the machine: gigabytes read and written a second, and gradstep's speed over others' (1 is level).",
    distanceTable(results),
    mnistTable(results),
    ...trained,
  ].join("\n\n"),
);
const figures = new URL("docs/figures/", root);
mkdirSync(figures, { recursive: true });
for (const [name, draw] of Object.entries({ "speed-steps.svg": stepsChart, "speed-mnist.svg": mnistChart })) {
  writeFileSync(new URL(name, figures), draw(results));
  console.log(`docs/figures/${name}`);
}

/** Puts text between the markers of a file. */
function write(path: string, text: string): void {
  const [begin, end] = ["<!-- peers:begin -->", "<!-- peers:end -->"];
  const file = new URL(path, root);
  const old = readFileSync(file, "utf8");
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} lacks the markers ${begin} and ${end}`);
  writeFileSync(file, `${old.slice(0, from + begin.length)}\n\n${text}\n\n${old.slice(to)}`);
  console.log(path);
}
