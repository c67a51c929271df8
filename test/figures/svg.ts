import { JSDOM } from "jsdom";

/** What a drawn element covers: its label, and its points in the pixels of its panel. */
export interface Drawn {
  readonly label: string;
  readonly points: readonly (readonly [number, number])[];
}

/** A panel of a picture: its title, its frame (left, top, right, bottom), and what is drawn in it. */
export interface DrawnPanel {
  readonly title: string;
  readonly frame: readonly number[];
  readonly drawn: readonly Drawn[];
}

/** Reads a picture as XML; throws where it is not well formed. */
export function parse(svg: string): { root: Element; panels: DrawnPanel[] } {
  const root = new JSDOM(svg, { contentType: "image/svg+xml" }).window.document.documentElement;
  const panels = [...root.querySelectorAll("[data-frame]")].map((panel) => ({
    title: [...panel.children].filter(({ tagName }) => tagName === "text").at(-1)?.textContent ?? "",
    frame: (panel.getAttribute("data-frame") ?? "").split(" ").map(Number),
    drawn: [...panel.querySelectorAll("path[aria-label], circle[aria-label]")].map((node) => ({
      label: node.getAttribute("aria-label") ?? "",
      points: pointsOf(node),
    })),
  }));
  return { root, panels };
}

/** A dot's centre, a symbol's place, or the points of a line or an area. */
function pointsOf(node: Element): [number, number][] {
  const place = node.getAttribute("transform");
  if (place !== null) return pairs(/translate\(([^)]*)\)/.exec(place)?.[1] ?? "");
  if (node.tagName === "circle") return pairs(`${node.getAttribute("cx")},${node.getAttribute("cy")}`);
  return pairs(node.getAttribute("d") ?? "");
}

/** The points of straight lines, M and L with absolute coordinates; NaN for anything else. */
function pairs(way: string): [number, number][] {
  return way
    .split(/[MLZ]/)
    .filter((part) => part !== "")
    .map((part) => part.split(",").map(Number) as [number, number]);
}
