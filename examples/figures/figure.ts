import { element, serialize, text } from "./svg.ts";
import { adapt, inks } from "./theme.ts";
import { tidy } from "./tidy.ts";

export const WIDTH = 840;
const EDGE = 16;

/** Rows of panels under a title and lines that say what to see. */
export interface Figure {
  readonly title: string;
  readonly subtitle: readonly string[];
  readonly rows: readonly (readonly Element[])[];
  readonly notes?: readonly string[];
  /** Motion. */
  readonly css?: string;
}

/** Puts a figure together: a standalone SVG file. */
export function figure({ title, subtitle, rows, notes = [], css = "" }: Figure): string {
  const root = element("svg", { "font-family": "system-ui, sans-serif", fill: inks.ink });
  const parts: Element[] = [];
  let y = EDGE + 16;
  parts.push(text(title, EDGE, y, { "font-size": 18, "font-weight": 600 }));
  for (const line of subtitle) parts.push(text(line, EDGE, (y += 20), { "font-size": 13, fill: inks.muted }));
  y += 10;
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
  for (const line of notes) parts.push(text(line, EDGE, (y += 18), { "font-size": 12, fill: inks.muted }));
  y += EDGE;
  for (const [name, value] of Object.entries({ width: WIDTH, height: y, viewBox: `0 0 ${WIDTH} ${y}`, role: "img" }))
    root.setAttribute(name, String(value));
  const name = element("title", {});
  name.textContent = title;
  const card = { x: 0.5, y: 0.5, width: WIDTH - 1, height: y - 1, rx: 10, fill: inks.paper, stroke: inks.rule };
  root.append(name, element("rect", card), ...parts);
  tidy(root);
  adapt(root, css);
  return serialize(root);
}
