import { axisBottom, scaleBand, scaleLinear, select } from "d3";
import type { Outcome } from "./contest.ts";

const BAR = 25;
/** Room for what is written beside the longest bar. */
const NOTE = 64;
const MARGIN = { top: 8, right: 16, bottom: 40, left: 84 };

/** One bar: who, how many nanoseconds, and what is written beside it. */
interface Bar {
  readonly who: "gradstep" | "threads" | "loop";
  readonly ns: number;
  readonly note: string;
}

const barsOf = ({ gradstep, loop, ratio, threads }: Outcome): Bar[] => [
  { who: "gradstep", ns: gradstep, note: `gradstep, ${ratio.toFixed(1)}× faster` },
  ...(threads === undefined
    ? []
    : [{ who: "threads" as const, ns: threads.ns, note: `on ${threads.count} threads, ${threads.ratio.toFixed(1)}×` }]),
  { who: "loop", ns: loop, note: "loop" },
];

/** Draws bars of nanoseconds a parameter, for each size and each who was measured. */
export function drawBars(host: HTMLElement, outcomes: readonly Outcome[]): void {
  const width = Math.max(260, host.clientWidth);
  const groups = outcomes.map(barsOf);
  const height = groups.flat().length * BAR + outcomes.length * 8 + MARGIN.top + MARGIN.bottom;
  const most = Math.max(...groups.flat().map(({ ns }) => ns));
  const x = scaleLinear([0, most], [MARGIN.left, width - MARGIN.right - NOTE]).nice();
  const y = scaleBand(
    outcomes.map(({ size }) => String(size)),
    [MARGIN.top, height - MARGIN.bottom],
  ).padding(0.25);

  const root = select(host)
    .selectAll("svg")
    .data([0])
    .join("svg")
    .attr("viewBox", `0 0 ${width} ${height}`)
    .attr("width", width)
    .attr("height", height)
    .attr("role", "img")
    .attr("aria-label", "Nanoseconds a parameter of gradstep and of the loop; the table has the numbers");
  root.selectAll("*").remove();
  root
    .append("g")
    .attr("class", "axis")
    .attr("transform", `translate(0 ${height - MARGIN.bottom})`)
    .call(axisBottom(x).ticks(Math.max(3, width / 120)));
  root
    .append("text")
    .attr("class", "title")
    .attr("x", MARGIN.left)
    .attr("y", height - 6)
    .text("ns a parameter, less is better");
  outcomes.forEach((outcome, i) => {
    const inner = scaleBand(
      groups[i].map(({ who }) => who),
      [0, y.bandwidth()],
    ).padding(0.1);
    const top = y(String(outcome.size))!;
    root
      .append("text")
      .attr("class", "size")
      .attr("x", MARGIN.left - 10)
      .attr("y", top + y.bandwidth() / 2)
      .attr("dy", "0.35em")
      .text(outcome.size.toLocaleString("en-GB"));
    for (const { who, ns, note } of groups[i]) {
      const at = top + inner(who)!;
      root
        .append("rect")
        .attr("class", who)
        .attr("x", x(0))
        .attr("y", at)
        .attr("width", Math.max(1, x(ns) - x(0)))
        .attr("height", inner.bandwidth())
        .attr("rx", 3);
      root
        .append("text")
        .attr("class", "value")
        .attr("x", x(ns) + 6)
        .attr("y", at + inner.bandwidth() / 2)
        .attr("dy", "0.35em")
        .text(`${ns.toFixed(2)} ${note}`);
    }
  });
}
