/** Drops the points of contours that are within a fifth of a pixel of the way without them. */
function straighten(d: string): string {
  return d.replace(/[^MZ]+/g, (ring) => {
    const points = ring.split("L").map((pair) => pair.split(",").map(Number));
    const kept = simplified(points).map((pair) => pair.join(","));
    return kept.join("L");
  });
}

/** Ramer, Douglas and Peucker's way, from the first point to the last. */
function simplified(points: readonly number[][]): readonly number[][] {
  if (points.length < 3) return points;
  const [[ax, ay], [bx, by]] = [points[0], points[points.length - 1]];
  const length = Math.hypot(bx - ax, by - ay);
  const gaps = points.map(([x, y]) =>
    length === 0 ? Math.hypot(x - ax, y - ay) : Math.abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length,
  );
  const widest = gaps.indexOf(Math.max(...gaps));
  if (gaps[widest] < 0.2) return [points[0], points[points.length - 1]];
  return [...simplified(points.slice(0, widest + 1)), ...simplified(points.slice(widest)).slice(1)];
}

const toTenth = (number: string): string => String(Math.round(Number(number) * 10) / 10);

const coordinates = ["d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "transform"];

/** Keeps a file small: contours with few points, coordinates to a tenth of a pixel. */
export function tidy(root: Element): void {
  for (const path of root.querySelectorAll("[aria-label='contour'] path"))
    path.setAttribute("d", straighten(path.getAttribute("d") ?? ""));
  for (const node of root.querySelectorAll("*"))
    for (const name of coordinates) {
      const value = node.getAttribute(name);
      if (value !== null) node.setAttribute(name, value.replace(/-?\d+\.\d\d+/g, toTenth));
    }
}
