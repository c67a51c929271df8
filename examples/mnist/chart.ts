import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as Plot from "@observablehq/plot";
import { JSDOM } from "jsdom";
import { UserError } from "../command/errors.ts";

export interface Curve {
  /** Curves of one name share a colour and an entry of the legend. */
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  /** The x axis goes from 0 to here. */
  readonly epochs: number;
  readonly y: string;
  readonly logarithmic?: true;
  readonly curves: readonly Curve[];
}

/** The last colour of the ten is a grey, which a frame has. */
const colors = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e"];
const FOLDER = "out";
const MARGIN = { top: 48, right: 160, bottom: 48, left: 72 };
const LEGEND_LINE = 20;

/**
 * Draws curves into `out/<file>`, an SVG, and returns its path. Axes reach over all points, so that no curve leaves the
 * frame; a value that is no finite number is a gap, and the legend says so.
 */
export function writeChart(file: string, { title, epochs, y, logarithmic, curves }: Chart): string {
  const names = [...new Set(curves.map(({ name }) => name))];
  const points = curves.flatMap(({ name, points }, z) => points.map(([x, y]) => ({ name, z, x, y })));
  const drawable = (y: number): boolean => Number.isFinite(y) && (!logarithmic || y > 0);
  const broken = new Set(points.filter((point) => !drawable(point.y)).map(({ name }) => name));
  const heights = points.map((point) => point.y).filter(drawable);
  const step = Math.ceil(epochs / 10);
  const ticks = logarithmic ? logTicks(heights) : undefined;
  const legend = names.flatMap((name, i) => {
    const place = { frameAnchor: "top-right", dy: 10 + i * LEGEND_LINE } as const;
    return [
      Plot.dot([name], { ...place, dx: 16, r: 5, fill: colors[i % colors.length] }),
      Plot.text([broken.has(name) ? `${name} (diverged)` : name], {
        ...place,
        dx: 28,
        textAnchor: "start",
        lineAnchor: "middle",
      }),
    ];
  });
  const { document } = new JSDOM("").window;
  const svg = Plot.plot({
    document,
    width: 860,
    height: 540,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    style: { fontSize: "13px", fontFamily: "system-ui, sans-serif" },
    x: {
      domain: [0, epochs],
      ticks: Array.from({ length: 11 }, (_, i) => i * step).filter((epoch) => epoch <= epochs),
      tickFormat: String,
      label: "epochs",
      labelAnchor: "center",
      labelArrow: "none",
    },
    y: {
      ...(ticks ? { type: "log", domain: [ticks[0], ticks[ticks.length - 1]], ticks, tickFormat: String } : {}),
      nice: !ticks,
      grid: true,
      label: y,
      labelAnchor: "center",
      labelArrow: "none",
    },
    color: { domain: names, range: names.map((_, i) => colors[i % colors.length]) },
    marks: [
      Plot.frame({ stroke: "#ccc" }),
      Plot.line(
        points.map((point) => (drawable(point.y) ? point : { ...point, y: NaN })),
        {
          x: "x",
          y: "y",
          z: "z",
          stroke: "name",
          strokeWidth: 1.6,
          ...(points.length < 20 * curves.length ? { marker: "dot" } : {}),
        },
      ),
      Plot.text([title], { frameAnchor: "top-left", lineAnchor: "bottom", dy: -14, fontSize: 16, fontWeight: "bold" }),
      ...legend,
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ width: "100%", height: "100%", fill: "white" }))
    ground.setAttribute(name, value);
  svg.querySelector("style")?.after(ground);
  const path = join(FOLDER, file);
  writing(path, () => writeFileSync(path, `${svg.outerHTML}\n`));
  return path;
}

/** @throws UserError where no chart could be written, before any time is spent on training. */
export function makeChartFolder(file: string): void {
  writing(join(FOLDER, file), () => {
    mkdirSync(FOLDER, { recursive: true });
    accessSync(FOLDER, constants.W_OK);
  });
}

function writing(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new UserError(`cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

/** 1, 2 and 5 of each power of ten, or the powers alone when they are many, from below the lowest to above the highest. */
function logTicks(values: readonly number[]): number[] {
  const low = values.length > 0 ? Math.min(...values) : 0.1;
  const high = values.length > 0 ? Math.max(...values) : 1;
  const first = Math.floor(Math.log10(low));
  const powers = Array.from({ length: Math.floor(Math.log10(high)) - first + 2 }, (_, i) => first + i);
  const steps = powers.length > 5 ? [1] : [1, 2, 5];
  const ticks = powers.flatMap((power) => steps.map((step) => Number(`${step}e${power}`)));
  const from = ticks.findIndex((_, i) => ticks[i + 1] > low);
  return ticks.slice(from, ticks.findIndex((tick) => tick >= high && tick > ticks[from]) + 1);
}

/** Means of neighbouring batches, placed at the middle of theirs in epochs: `perEpoch` of them, or fewer in a short run. */
export function smooth(losses: Float64Array, epochs: number, perEpoch = 20): [number, number][] {
  const count = Math.min(losses.length, epochs * perEpoch);
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * losses.length) / count);
    const window = losses.subarray(from, Math.floor(((i + 1) * losses.length) / count));
    const mean = window.reduce((sum, loss) => sum + loss, 0) / window.length;
    return [((from + window.length / 2) / losses.length) * epochs, mean];
  });
}
