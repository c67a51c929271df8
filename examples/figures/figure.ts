import type { Look } from "./plot.ts";
import { FADED, INK, element, serialize, text } from "./svg.ts";
import { tidy } from "./tidy.ts";

export const WIDTH = 840;
const EDGE = 16;

/** Rows of panels under a title, a line that says what to see, and a legend. */
export interface Figure {
  readonly title: string;
  readonly subtitle: readonly string[];
  /** Groups of entries, side by side as the panels are. */
  readonly legend: readonly (readonly Look[])[];
  /** Columns of a group. Default 2. */
  readonly columns?: number;
  readonly rows: readonly (readonly Element[])[];
  readonly notes?: readonly string[];
}

/** Puts a figure together: a standalone SVG file. */
export function figure({ title, subtitle, legend, columns = 2, rows, notes = [] }: Figure): string {
  const root = element("svg", { "font-family": "system-ui, sans-serif", fill: INK });
  const parts: Element[] = [];
  let y = EDGE + 16;
  parts.push(text(title, EDGE, y, { "font-size": 18, "font-weight": 600 }));
  for (const line of subtitle) parts.push(text(line, EDGE, (y += 20), { "font-size": 13, fill: FADED }));
  y += 28;
  const column = (WIDTH - 2 * EDGE) / legend.length / columns;
  legend.forEach((group, g) =>
    group.forEach((look, i) => {
      const x = EDGE + (g * columns + (i % columns)) * column;
      const at = y + Math.floor(i / columns) * 19;
      parts.push(swatch(look, x, at - 4), text(look.label, x + 34, at, { "font-size": 13 }));
    }),
  );
  y += Math.ceil(Math.max(...legend.map((group) => group.length)) / columns) * 19 - 4;
  for (const row of rows) {
    let x = 8;
    for (const svg of row) {
      svg.setAttribute("x", String(x));
      svg.setAttribute("y", String(y));
      x += Number(svg.getAttribute("width"));
      parts.push(svg);
    }
    y += Math.max(...row.map((svg) => Number(svg.getAttribute("height"))));
  }
  for (const line of notes) parts.push(text(line, EDGE, (y += 18), { "font-size": 12, fill: FADED }));
  y += EDGE;
  for (const [name, value] of Object.entries({ width: WIDTH, height: y, viewBox: `0 0 ${WIDTH} ${y}`, role: "img" }))
    root.setAttribute(name, String(value));
  const name = element("title", {});
  name.textContent = title;
  root.append(name, element("rect", { width: WIDTH, height: y, fill: "#ffffff" }), ...parts);
  tidy(root);
  return serialize(root);
}

function swatch({ colour, dash, width = 1.8, dotted = false }: Look, x: number, y: number): Element {
  if (dotted) {
    const group = element("g", { fill: colour });
    group.append(...[4, 14, 24].map((dx) => element("circle", { cx: x + dx, cy: y, r: 2.5 })));
    return group;
  }
  const line = { x1: x, x2: x + 28, y1: y, y2: y, stroke: colour, "stroke-width": width + 0.5 };
  return element("line", dash === undefined ? line : { ...line, "stroke-dasharray": dash });
}
