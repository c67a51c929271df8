import { line as trace, scaleLog } from "d3";
import { byId, contextOf } from "../page/dom.ts";
import { colour } from "../page/theme.ts";
import type { PathLook } from "./palette.ts";
import type { Racer } from "./racer.ts";
import type { Landscape } from "./surfaces.ts";

const MARGIN = { left: 44, right: 10, top: 6, bottom: 20 };
/** The steps that the chart shows: the next of these as the race goes on. */
const ENDS = [30, 100, 300, 1000, 3000, 10_000];
const LOWEST = 1e-6;
const FONT = "12px system-ui, sans-serif";

/** A racer and how it is drawn. */
interface Entry {
  readonly racer: Racer;
  readonly look: PathLook;
}

/** The losses of a race against its steps, both on logarithmic scales. */
export class LossChart {
  readonly element = byId("race-chart", HTMLElement);
  readonly #axes = byId("axes", HTMLCanvasElement);
  readonly #curves = byId("curves", HTMLCanvasElement);
  readonly #x = scaleLog();
  readonly #y = scaleLog().clamp(true);
  /** The step up to which a curve is drawn, and its length in pixels. */
  readonly #drawn = new Map<Racer, { readonly step: number; readonly length: number }>();
  #surface: Landscape | undefined;
  #end = ENDS[0];

  /** Takes the size of the page and the surface, and draws the axes. */
  prepare(surface: Landscape): void {
    this.#surface = surface;
    const { width, height } = this.element.getBoundingClientRect();
    const density = Math.min(2, devicePixelRatio);
    for (const canvas of [this.#axes, this.#curves]) {
      canvas.width = Math.round(width * density);
      canvas.height = Math.round(height * density);
      contextOf(canvas).scale(density, density);
    }
    this.#x.range([MARGIN.left, width - MARGIN.right]);
    this.#y.domain([LOWEST, 10 ** (surface.contours[1] + 0.5)]).range([height - MARGIN.bottom, MARGIN.top]);
    this.clear();
  }

  /** No curves, and as few steps as at first. */
  clear(): void {
    this.#end = ENDS[0];
    this.#redrawAxes();
  }

  /** Draws what has come since, or all anew when the steps go beyond the chart. */
  draw(steps: number, entries: readonly Entry[]): void {
    const end = ENDS.find((end) => end >= steps) ?? ENDS[ENDS.length - 1];
    if (end > this.#end) {
      this.#end = end;
      this.#redrawAxes();
    }
    const context = contextOf(this.#curves);
    for (const { racer, look } of entries) this.#extend(context, racer, look);
  }

  #redrawAxes(): void {
    this.#drawn.clear();
    this.#x.domain([1, this.#end]);
    const { width, height } = this.element.getBoundingClientRect();
    contextOf(this.#curves).clearRect(0, 0, width, height);
    const context = contextOf(this.#axes);
    context.clearRect(0, 0, width, height);
    context.font = FONT;
    context.fillStyle = colour("--muted");
    context.strokeStyle = colour("--rule");
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const [low, high] = this.#y.domain().map(Math.log10);
    for (let power = low; power <= high; power += 2) {
      const y = Math.round(this.#y(10 ** power)) + 0.5;
      this.#line(context, MARGIN.left, y, width - MARGIN.right, y);
      const text = power >= -2 && power <= 3 ? String(Number((10 ** power).toPrecision(1))) : `1e${power}`;
      context.fillText(text, MARGIN.left - 6, y);
    }
    context.textBaseline = "alphabetic";
    for (let tick = 1; tick <= this.#end; tick *= 10) {
      const x = Math.round(this.#x(tick)) + 0.5;
      this.#line(context, x, MARGIN.top, x, height - MARGIN.bottom);
      context.textAlign = tick === this.#end ? "right" : "center";
      context.fillText(tick === 1 ? "step 1" : tick.toLocaleString("en-GB"), x, height - 5);
    }
  }

  #line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }

  #extend(context: CanvasRenderingContext2D, racer: Racer, { colour, dash }: PathLook): void {
    const { step: from, length: offset } = this.#drawn.get(racer) ?? { step: 1, length: 0 };
    const { steps, path } = racer;
    if (steps <= from) return;
    context.beginPath();
    let last = -Infinity;
    const points: [number, number][] = [];
    for (let step = from; step <= steps; step++) {
      const x = this.#x(step);
      if (x - last < 0.5 && step < steps) continue; // many steps share a pixel
      last = x;
      points.push([x, this.#y(Math.max(LOWEST, this.#surface!.loss(path[2 * step], path[2 * step + 1])))]);
    }
    trace().context(context)(points);
    const length = points.slice(1).reduce((sum, [x, y], i) => sum + Math.hypot(x - points[i][0], y - points[i][1]), 0);
    this.#drawn.set(racer, { step: steps, length: offset + length });
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = 1.75;
    context.lineJoin = "round";
    context.setLineDash([...dash]);
    context.lineDashOffset = offset;
    context.stroke();
    if (racer.fate === "running") return;
    const [x, y] = points[points.length - 1];
    context.beginPath();
    context.arc(x, y, 3.5, 0, 2 * Math.PI);
    context.fill();
  }
}
