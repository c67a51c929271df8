// npx tsx examples/which/find-rates.ts: searches the middle one of a contender's three learning rates, of all or of those that
// are named, and writes rates.ts.
import { writeFileSync } from "node:fs";
import { allRules } from "../mnist/all-rules.ts";
import { type ContenderName, contenderNames } from "./contenders.ts";
import { rates } from "./rates.ts";
import { type TaskName, readTask } from "./tasks.ts";
import { train } from "./train.ts";

/** 1 and 3 of every decade. */
const grid = [-6, -5, -4, -3, -2, -1, 0, 1, 2].flatMap((power) => [1, 3].map((digit) => Number(`${digit}e${power}`)));
/** Where the search begins with what is no rule of the MNIST command. */
const related: Partial<Record<ContenderName, keyof typeof allRules>> = {
  "adamw-cautious": "adamw",
  "lion-cautious": "lion",
  sam: "momentum",
};
/** Short runs, from another start than those of `npm run which`. */
const searches = { images: { task: "mlp", gradients: 470 }, text: { task: "gpt", gradients: 160 } } as const;
const SEED = 7;

const near = (lr: number): number =>
  grid.reduce((best, rate, i) => (Math.abs(Math.log(rate / lr)) < Math.abs(Math.log(grid[best] / lr)) ? i : best), 0);

/** Goes from rate to rate as long as the score gets better. */
function find(task: TaskName, gradients: number, who: ContenderName, start: number): number {
  const scores = new Map<number, number>();
  const score = (i: number): number => {
    const known =
      scores.get(i) ?? train({ task, contender: who, lr: grid[i], seed: SEED }, data, gradients) ?? Infinity;
    scores.set(i, known);
    return known;
  };
  const data = tasks[task];
  let at = near(start);
  for (;;) {
    const next = [at - 1, at + 1].filter((i) => i in grid).find((i) => score(i) < score(at));
    if (next === undefined) return grid[at];
    at = next;
  }
}

const tasks = Object.fromEntries(Object.values(searches).map(({ task }) => [task, readTask(task)])) as Record<
  TaskName,
  ReturnType<typeof readTask>
>;
const named = process.argv.slice(2);
const rows = contenderNames.map((who) => {
  const label = who.includes("-") ? JSON.stringify(who) : who;
  const { images, text } = rates[who];
  if (named.length > 0 && !named.includes(who)) return `  ${label}: { images: ${images}, text: ${text} },`;
  const { lr } = allRules[related[who] ?? (who as keyof typeof allRules)];
  const found = Object.entries(searches).map(
    ([data, { task, gradients }]) => `${data}: ${find(task, gradients, who, lr)}`,
  );
  const row = `  ${label}: { ${found.join(", ")} },`;
  console.log(row);
  return row;
});
writeFileSync(
  new URL("rates.ts", import.meta.url),
  `// Written by find-rates.ts: of the rates 1 and 3 of every decade, the one that short runs found best, by kind of data.

/** The middle one of each contender's three learning rates. */
export const rates = {
${rows.join("\n")}
} as const;
`,
);
