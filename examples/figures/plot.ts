import * as Plot from "@observablehq/plot";
import { type Frame, show, thin, toUnit } from "./frame.ts";
import { type Box, placeNames, SIZE, widthOf } from "./names.ts";
import { document, element, text } from "./svg.ts";
import type { Point } from "./surfaces.ts";
import { inks } from "./theme.ts";

/** A curve's name and look. */
export interface Look {
  readonly label: string;
  readonly colour: string;
  readonly dash?: string | undefined;
  readonly width?: number;
}

/** A curve that has its name beside it. */
export interface NamedCurve {
  readonly look: Look;
  readonly points: readonly Point[];
  /** Whether these are dots that no line joins. */
  readonly dotted?: boolean;
  /** Whether its last point has a mark. */
  readonly marked?: boolean;
}

/** A point with a mark, and its name above or below; no other name may cover them. */
export interface Landmark extends Point {
  readonly text: string;
  /** From the point to the middle of the name. */
  readonly dy: number;
}

/** What a panel is: a frame in pixels, its axes, and marks in the order they are drawn. */
export interface Panel {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly frame: Frame;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly options?: Plot.PlotOptions;
  readonly marks: (frame: PixelFrame) => readonly Plot.Markish[];
  readonly names?: readonly NamedCurve[];
  readonly landmarks?: readonly Landmark[];
}

/** A frame and its size on the page. */
export interface PixelFrame extends Frame {
  readonly width: number;
  readonly height: number;
}

const margins = { left: 52, right: 22, top: 30, bottom: 40 };

/** Draws a panel. `data-frame` has the frame in the panel's pixels: left, top, right, bottom. */
export function panel({
  title,
  width,
  height,
  frame,
  xLabel,
  yLabel,
  options,
  marks,
  names = [],
  landmarks = [],
}: Panel): Element {
  const { left, right, top, bottom } = margins;
  const pixels = { ...frame, width: width - left - right, height: height - top - bottom };
  const axis = { labelAnchor: "center", labelArrow: "none", tickSize: 4 } as const;
  const svg = Plot.plot({
    document,
    className: "panel",
    width,
    height,
    marginLeft: left,
    marginRight: right,
    marginTop: top,
    marginBottom: bottom,
    ...options,
    x: { domain: frame.x, type: frame.logX ? "log" : "linear", label: xLabel, ...axis, ...options?.x },
    y: { domain: frame.y, type: frame.logY ? "log" : "linear", label: yLabel, ...axis, ...options?.y },
    marks: [...marks(pixels), Plot.frame({ stroke: inks.muted, strokeOpacity: 0.6 })],
  }) as unknown as SVGSVGElement;
  svg.querySelector("style")?.remove();
  svg.setAttribute("font-size", String(SIZE));
  svg.setAttribute("color", inks.ink);
  svg.setAttribute("data-frame", [left, top, width - right, height - bottom].join(" "));
  const box = { left, top, right: width - right, bottom: height - bottom };
  const toPixel = pixelsIn({ width, height, frame });
  svg.append(
    ...nameCurves(
      box,
      names,
      (points) => show(frame, points).pieces.map((piece) => piece.map(toPixel)),
      landmarks.flatMap((one) => boxesOf(one, toPixel(one))),
    ),
    text(title, left, 18, { "font-size": 13, "font-weight": 600, "text-anchor": "start", fill: inks.ink }),
  );
  return svg;
}

/** Where points are in a panel, in its pixels. */
export function pixelsIn({ width, height, frame }: Pick<Panel, "width" | "height" | "frame">): (point: Point) => Point {
  const { left, right, top, bottom } = margins;
  return (point) => {
    const { x, y } = toUnit(frame, point);
    return { x: left + x * (width - left - right), y: height - bottom - y * (height - top - bottom) };
  };
}

/** Names beside curves, in their colours, over a halo; a line leads to a curve that is further off. */
function nameCurves(
  box: Box,
  names: readonly NamedCurve[],
  piecesOf: (points: readonly Point[]) => readonly (readonly Point[])[],
  taken: readonly Box[],
): Element[] {
  const curves = names.map(({ look, points, dotted = false, marked = false }) => {
    const pieces = piecesOf(points);
    return {
      text: look.label,
      pieces: dotted ? pieces.flat().map((point) => [point]) : pieces,
      mark: marked ? piecesOf(points.slice(-1))[0]?.[0] : undefined,
    };
  });
  return placeNames(box, curves, taken).flatMap(({ x, y, leader }, i) => {
    const { label, colour } = names[i].look;
    const halo = { stroke: inks.paper, "stroke-width": 3.5, "stroke-linejoin": "round", "paint-order": "stroke" };
    const name = text(label, x, y, { fill: colour, "font-weight": 600, "text-anchor": "start", ...halo });
    if (leader === undefined) return [name];
    const [from, to] = leader.map((point) => `${point.x},${point.y}`);
    return [element("path", { d: `M${from}L${to}`, stroke: colour, "aria-label": `leader: ${label}` }), name];
  });
}

/** What a landmark and its name cover. */
function boxesOf({ text: name, dy }: Landmark, { x, y }: Point): Box[] {
  const half = widthOf(name) / 2;
  return [
    { left: x - 10, right: x + 10, top: y - 10, bottom: y + 10 },
    { left: x - half, right: x + half, top: y + dy - 9, bottom: y + dy + 9 },
  ];
}

/** A curve cut at the frame's border, with a triangle wherever it leaves. */
export function curve(frame: PixelFrame, points: readonly Point[], look: Look, gap = 1): Plot.Markish[] {
  const { pieces, exits } = show(frame, points);
  const data = pieces.flatMap((piece, z) =>
    thin(frame, frame.width, frame.height, piece, gap).map(({ x, y }) => ({ x, y, z })),
  );
  return [
    Plot.line(data, {
      x: "x",
      y: "y",
      z: "z",
      stroke: look.colour,
      strokeWidth: look.width ?? 1.8,
      ...(look.dash === undefined ? {} : { strokeDasharray: look.dash }),
      strokeLinejoin: "round",
      ariaLabel: () => `curve: ${look.label}`,
    }),
    Plot.dot(exits, {
      x: "x",
      y: "y",
      symbol: "triangle",
      rotate: "turn",
      r: 5,
      fill: look.colour,
      stroke: inks.paper,
      strokeWidth: 0.8,
      ariaLabel: () => `leaves the frame: ${look.label}`,
    }),
  ];
}

/** Dots of one look at the points inside the frame. */
export function dots(frame: Frame, points: readonly Point[], options: Plot.DotOptions): Plot.Markish {
  const within = points.filter(({ x, y }) => x >= frame.x[0] && x <= frame.x[1] && y >= frame.y[0] && y <= frame.y[1]);
  return Plot.dot(within, { x: "x", y: "y", ...options });
}

/** The contours of a loss, two a decade, from 10^low to 10^high; use with {@link contourColours}. */
export function contours(
  { x, y }: Frame,
  loss: (x: number, y: number) => number,
  [low, high]: readonly [number, number],
): Plot.Markish {
  const thresholds = Array.from({ length: Math.round((high - low) * 2) + 1 }, (_, i) => low + i / 2);
  return Plot.contour({
    x1: x[0],
    x2: x[1],
    y1: y[0],
    y2: y[1],
    fill: "value",
    value: (atX: number, atY: number) => Math.log10(Math.max(loss(atX, atY), 1e-12)),
    thresholds,
    stroke: inks.contour,
    strokeWidth: 0.7,
    pixelSize: 3,
  });
}

/** The page's colours of low and of high ground. */
export function contourColours([low, high]: readonly [number, number]): Plot.ScaleOptions {
  return { type: "linear", domain: [low - 0.5, high], range: [inks.low, inks.high] };
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** Names a tick of a logarithmic axis: 10⁻³ for 0.001. */
export function powerOfTen(value: number): string {
  const power = Math.round(Math.log10(value));
  const digits = String(Math.abs(power)).replace(/\d/g, (digit) => superscripts[Number(digit)]);
  return `10${power < 0 ? "⁻" : ""}${digits}`;
}
