// Motion in pictures: paths that draw themselves, marks that go along them, and a clock of steps, as keyframes in CSS.
import { scaleLinear } from "d3";
import { secondsFor } from "../playground/surfaces/pace.ts";
import { element, text } from "./svg.ts";
import type { Inks } from "./theme.ts";

/** Keyframes of one length that begin together, again and again. */
export class Animation {
  readonly seconds: number;
  readonly #rules: string[] = [];

  constructor(seconds: number) {
    this.seconds = seconds;
  }

  /** Adds keyframes under a name; returns the style of what moves so. */
  readonly add = (name: string, frames: readonly (readonly [second: number, style: string])[]): string => {
    const percent = (second: number): string => `${Number(((100 * second) / this.seconds).toFixed(2))}%`;
    this.#rules.push(`@keyframes ${name}{${frames.map(([second, style]) => `${percent(second)}{${style}}`).join("")}}`);
    return `animation:${name} ${this.seconds.toFixed(1)}s linear infinite`;
  };

  /** The style sheet, by which nothing moves where people ask for less motion. */
  get css(): string {
    return `${this.#rules.join("\n")}\n@media (prefers-reduced-motion:reduce){*{animation:none!important}}`;
  }
}

/** Where a path is in a frame, and how far along. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly along: number;
}

/** A path in pixels, its length, and where its head is in every frame. */
export interface Track {
  readonly d: string;
  readonly length: number;
  readonly frames: readonly Place[];
}

/** The track of a path with a point a step, at the steps of the frames. */
export function trackOf(points: readonly (readonly [number, number])[], steps: readonly number[]): Track {
  const lengths = [0];
  const kept = [points[0]];
  points.slice(1).forEach(([px, py]) => {
    const [lx, ly] = kept[kept.length - 1];
    const way = Math.hypot(px - lx, py - ly);
    const total = lengths[lengths.length - 1];
    if (way >= 0.4) kept.push([px, py]);
    lengths.push(way >= 0.4 ? total + way : total);
  });
  const frames = steps.map((step) => {
    const from = Math.min(points.length - 1, Math.floor(step));
    const to = Math.min(points.length - 1, from + 1);
    const part = step - Math.floor(step);
    const mix = (a: number, b: number): number => a + part * (b - a);
    return {
      x: mix(points[from][0], points[to][0]),
      y: mix(points[from][1], points[to][1]),
      along: mix(lengths[from], lengths[to]),
    };
  });
  return {
    d: `M${kept.map(([px, py]) => `${round(px)},${round(py)}`).join("L")}`,
    length: lengths[lengths.length - 1],
    frames,
  };
}

/** Attributes of a path that draws itself. */
export function reveal(
  name: string,
  { length, frames }: Track,
  times: readonly number[],
  animation: Animation,
): Record<string, string | number> {
  const kept = keep(times.map((second, k) => [second, frames[k].along]));
  const style = animation.add(
    name,
    [...kept, [animation.seconds, [length]] as const].map(([second, [along]]) => [
      second,
      `stroke-dashoffset:${round(length - along)}`,
    ]),
  );
  return { pathLength: round(length), "stroke-dasharray": round(length), style };
}

/** Keyframes of a thing that moves. */
export function moves(
  times: readonly number[],
  frames: readonly Place[],
  seconds: number,
): (readonly [number, string])[] {
  const kept = keep(times.map((second, i) => [second, frames[i].x, frames[i].y]));
  return [...kept, [seconds, kept[kept.length - 1][1]] as const].map(([second, [x, y]]) => [
    second,
    `transform:translate(${round(x)}px,${round(y)}px)`,
  ]);
}

/** Of rows of a time and coordinates, those that cannot be had from their neighbours to half a pixel. */
function keep(rows: readonly (readonly number[])[]): (readonly [second: number, coordinates: number[]])[] {
  const [first, last] = [rows[0], rows[rows.length - 1]];
  const gaps = rows.map((row) => {
    const part = (row[0] - first[0]) / (last[0] - first[0] || 1);
    return Math.max(
      ...row.slice(1).map((value, i) => Math.abs(value - first[i + 1] - part * (last[i + 1] - first[i + 1]))),
    );
  });
  const widest = gaps.indexOf(Math.max(...gaps));
  if (rows.length < 3 || gaps[widest] < 0.5) return [first, last].map(([second, ...rest]) => [second, rest] as const);
  return [...keep(rows.slice(0, widest + 1)), ...keep(rows.slice(widest)).slice(1)];
}

/** Where a clock is and what it shows. */
export interface Clock {
  readonly left: number;
  readonly right: number;
  readonly y: number;
  readonly steps: number;
  readonly pace: number;
  readonly times: readonly number[];
  readonly animation: Animation;
  readonly inks: Pick<Inks, "muted" | "rule" | "ink">;
}

/** The steps as a scale, along which a mark goes with the race. */
export function clock({ left, right, y, steps, pace, times, animation, inks: { muted, rule, ink } }: Clock): Element[] {
  const x = scaleLinear([0, secondsFor(steps, pace)], [left + 46, right - 8]);
  const ticks = [0, 50, 100, 200, 500, 1000, 2000, 5000].filter((step) => step <= steps);
  const mark = times.map((second) => ({ x: x(second), y, along: 0 }));
  return [
    text("steps", left + 4, y + 4, { fill: muted }),
    element("line", { x1: x.range()[0], x2: x.range()[1], y1: y, y2: y, stroke: rule, "stroke-width": 2 }),
    ...ticks.flatMap((step) => {
      const at = x(secondsFor(step, pace));
      return [
        element("line", { x1: at, x2: at, y1: y - 4, y2: y + 4, stroke: muted }),
        text(step.toLocaleString("en-GB"), at, y + 18, { "text-anchor": "middle", "font-size": 11.5, fill: muted }),
      ];
    }),
    element("circle", {
      ...{ r: 5, fill: ink, transform: `translate(${x.range()[1]},${y})` },
      style: animation.add("c", moves(times, mark, animation.seconds)),
    }),
  ];
}

const round = (value: number): number => Math.round(value * 10) / 10;
