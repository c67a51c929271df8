// The chart of results: a line a contender, three dots a line, a panel a network.
import * as Plot from "@observablehq/plot";
import { WIDTH, figure } from "../figures/figure.ts";
import { document } from "../figures/svg.ts";
import { hue, inks } from "../figures/theme.ts";
import { contender } from "./contenders.ts";
import { type Results, allRuns, factors } from "./results.ts";
import { bestOf, ranking, scoresOf } from "./table.ts";
import { type TaskName, plans, taskNames } from "./tasks.ts";

/** Of the three rates, smallest first. */
const colours = [hue("sky"), inks.ink, hue("red")];
/** Widths in pixels: the names, and the gaps beside a panel. */
const NAMES = 134;
const GAP = 12;
const ROW = 15;
/** The right end of a panel: so many times the best score. What is worse is a triangle there. */
const reach: Readonly<Record<TaskName, number>> = { mlp: 4, cnn: 5, gpt: 1.2 };

/** Draws the chart, a standalone SVG file. */
export function chart(results: Results): string {
  const order = ranking(results).map(({ who }) => contender(who).label);
  const width = (WIDTH - 16 - NAMES) / taskNames.length;
  const panels = taskNames.map((task, i) => panel(results, task, order, width, i === 0 ? NAMES : 0));
  const [low, , high] = factors;
  return figure({
    title: "Every rule at three learning rates",
    subtitle: [
      `${allRuns.length} runs. Further left is better; the rules are in order of their mean place, each at its best rate.`,
      `Blue: ${low} times the rate of the table; black or white: the rate; red: ${high} times the rate.`,
    ],
    rows: [panels],
    notes: [
      "A triangle at the edge: the score is further right, or the loss was no longer finite. Axes are logarithmic.",
    ],
  });
}

function panel(results: Results, task: TaskName, order: readonly string[], width: number, names: number): Element {
  const runs = ranking(results).map(({ who }) => ({
    label: contender(who).label,
    scores: scoresOf(results, task, who),
  }));
  const least = Math.min(...runs.map(({ scores }) => bestOf(scores)));
  const [from, to] = [least * 0.95, least * reach[task]];
  const place = (score: number | null): number => Math.min(score ?? Infinity, to);
  const dots = runs.flatMap(({ label, scores }) =>
    scores.map((score, i) => ({ label, x: place(score), out: place(score) === to, colour: colours[i] })),
  );
  const lines = runs.map(({ label, scores }) => {
    const places = scores.map(place);
    return { label, x1: Math.min(...places), x2: Math.max(...places) };
  });
  const at = { x: "x", y: "label", fill: "colour", ariaLabel: ({ label }: { label: string }) => `${task}: ${label}` };
  const svg = Plot.plot({
    document,
    className: "panel",
    width: width + names,
    height: order.length * ROW + 70,
    marginLeft: names + GAP,
    marginRight: GAP,
    marginTop: 30,
    marginBottom: 40,
    x: {
      ...{ domain: [from, to], type: "log", label: plans[task].score, labelAnchor: "center", labelArrow: "none" },
      ...{ tickSize: 4, ticks: 4, tickFormat: String, grid: true },
    },
    y: { domain: order, type: "band", label: null, tickSize: 0, axis: names > 0 ? "left" : null },
    color: { type: "identity" },
    marks: [
      Plot.ruleY(order, { stroke: inks.rule, strokeWidth: 0.5 }),
      Plot.ruleY(lines, { y: "label", x1: "x1", x2: "x2", stroke: inks.muted, strokeWidth: 1 }),
      Plot.dot(dots.filter(({ out }) => !out).reverse(), { ...at, r: 3.2, stroke: inks.paper, strokeWidth: 0.8 }),
      Plot.dot(
        dots.filter(({ out }) => out),
        { ...at, symbol: "triangle", rotate: 90, r: 3.2 },
      ),
      Plot.frame({ stroke: inks.muted, strokeOpacity: 0.6 }),
      Plot.text([plans[task].title], {
        frameAnchor: "top-left",
        dy: -22,
        fontSize: 13,
        fontWeight: 600,
        fill: inks.ink,
      }),
    ],
  }) as unknown as SVGSVGElement;
  svg.querySelector("style")?.remove();
  svg.setAttribute("font-size", "11");
  svg.setAttribute("color", inks.ink);
  return svg;
}
