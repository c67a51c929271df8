import { axisBottom, scaleBand, scaleLinear, select } from "d3";
import type { Outcome } from "./contest.ts";

const ROW = 56;
const MARGIN = { top: 8, right: 16, bottom: 40, left: 84 };
const CONTENDERS = ["gradstep", "loop"] as const;

/** Draws bars of nanoseconds a parameter, two a size. */
export function drawBars(host: HTMLElement, outcomes: readonly Outcome[]): void {
  const width = Math.max(260, host.clientWidth);
  const height = outcomes.length * ROW + MARGIN.top + MARGIN.bottom;
  const most = Math.max(...outcomes.map(({ gradstep, loop }) => Math.max(gradstep, loop)));
  const x = scaleLinear([0, most], [MARGIN.left, width - MARGIN.right - 84]).nice();
  const y = scaleBand(
    outcomes.map(({ size }) => String(size)),
    [MARGIN.top, height - MARGIN.bottom],
  ).padding(0.25);
  const inner = scaleBand(CONTENDERS, [0, y.bandwidth()]).padding(0.1);

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
  for (const outcome of outcomes) {
    const top = y(String(outcome.size))!;
    root
      .append("text")
      .attr("class", "size")
      .attr("x", MARGIN.left - 10)
      .attr("y", top + y.bandwidth() / 2)
      .attr("dy", "0.35em")
      .text(outcome.size.toLocaleString("en-GB"));
    for (const who of CONTENDERS) {
      const at = top + inner(who)!;
      root
        .append("rect")
        .attr("class", who)
        .attr("x", x(0))
        .attr("y", at)
        .attr("width", Math.max(1, x(outcome[who]) - x(0)))
        .attr("height", inner.bandwidth())
        .attr("rx", 3);
      const note = who === "gradstep" ? `, ${outcome.ratio.toFixed(1)}× faster` : "";
      root
        .append("text")
        .attr("class", "value")
        .attr("x", x(outcome[who]) + 6)
        .attr("y", at + inner.bandwidth() / 2)
        .attr("dy", "0.35em")
        .text(`${outcome[who].toFixed(2)}${note}`);
    }
  }
}
