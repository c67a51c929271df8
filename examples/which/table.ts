// The table of results, and what the page says of how they came about, as Markdown between two markers.
import { type ContenderName, contender, contenderNames } from "./contenders.ts";
import { rates } from "./rates.ts";
import { REPEATED, type Results, SEED, SEEDS, allRuns, factors, ratesOf, repeatedRuns } from "./results.ts";
import { type TaskName, plans, taskNames } from "./tasks.ts";
import type { Score } from "./train.ts";

/** A score as the page has it: a test error in percent, or a loss. */
export const scoreText = (task: TaskName, score: Score): string =>
  score === null ? "–" : score.toFixed(plans[task].digits);

/** The scores of a contender at its three rates, smallest first. */
export function scoresOf(results: Results, task: TaskName, who: ContenderName): Score[] {
  return ratesOf(task, who).map((lr) => {
    const score = results.get({ task, contender: who, lr, seed: SEED });
    if (score === undefined) throw new Error(`${who} at ${lr} on ${task} has not been trained`);
    return score;
  });
}

/** The least, as the table shows it; Infinity where none is finite. */
export const bestOf = (scores: readonly Score[]): number => Math.min(...scores.map((score) => score ?? Infinity));

/** Contenders by their mean place over the tasks, each at its best rate; those with equal scores share a place. */
export function ranking(results: Results): { who: ContenderName; place: number }[] {
  const places = new Map<ContenderName, number>(contenderNames.map((who) => [who, 0]));
  for (const task of taskNames) {
    const best = contenderNames.map((who) => bestOf(scoresOf(results, task, who)));
    contenderNames.forEach((who, i) => {
      const better = best.filter((score) => score < best[i]).length;
      places.set(who, places.get(who)! + (better + 1) / taskNames.length);
    });
  }
  return [...places].map(([who, place]) => ({ who, place })).sort((a, b) => a.place - b.place);
}

/** The Markdown table: scores at the three rates, the best in bold. */
function scoreTable(results: Results): string {
  const column = (task: TaskName): string => `${plans[task].title}: ${plans[task].score}`;
  const head = ["rule", "mean place", "rate", column("mlp"), column("cnn"), "rate", column("gpt")];
  const rows = ranking(results).map(({ who, place }) => {
    const { label, link } = contender(who);
    const cell = (task: TaskName): string => {
      const scores = scoresOf(results, task, who);
      const best = scoreText(task, bestOf(scores));
      return scores
        .map((score) => scoreText(task, score))
        .map((text) => (text === best ? `**${text}**` : text))
        .join(" · ");
    };
    const { images, text } = rates[who];
    return [`[${label}](${link})`, place.toFixed(1), images, cell("mlp"), cell("cnn"), text, cell("gpt")];
  });
  return [head, head.map((_, i) => (i === 0 ? "---" : "--:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

/** How much of a score is chance: the least and the most of some seeds. */
function spread(results: Results, task: TaskName): string {
  const scores = repeatedRuns(task).map((run) => results.get(run) ?? NaN);
  const [least, most] = [Math.min(...scores), Math.max(...scores)].map((score) => scoreText(task, score));
  return `${least} to ${most} (${plans[task].title})`;
}

/** What stands between the markers: chart, table, and figures of the runs. */
export function report(results: Results): string {
  const { mlp, cnn, gpt } = plans;
  const [low, , high] = factors;
  return [
    "![Every rule at three learning rates on three networks](figures/which-optimizer.svg)",
    `${allRuns.length} runs. In a cell: the score at ${low} times the rate, at the rate, and at ${high} times the rate; less is better, the best is bold, and a dash means that the loss became infinite or NaN. Place: of the best score among all ${contenderNames.length}, the mean of the three networks.`,
    scoreTable(results),
    `Steps: ${mlp.gradients} (${mlp.title}), ${cnn.gradients} (${cnn.title}), ${gpt.gradients} (${gpt.title}); in batches of ${mlp.batch} images or ${gpt.batch} texts.`,
    `Chance: ${contender(REPEATED).label} at its middle rate, from ${SEEDS.length} seeds, has ${taskNames.map((task) => spread(results, task)).join(", ")}.`,
  ].join("\n\n");
}

/** Puts a text between the markers of a page. */
export function put(page: string, text: string): string {
  const [begin, end] = ["<!-- which:begin -->", "<!-- which:end -->"];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page lacks the markers ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}
