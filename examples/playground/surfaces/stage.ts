import { contours, interpolateRgb, line, range, scaleLinear, symbol, symbolStar } from "d3";
import { byId, contextOf } from "../page/dom.ts";
import { colour } from "../page/theme.ts";
import type { Racer } from "./racer.ts";
import type { Landscape, Point } from "./surfaces.ts";

/** Samples of the surface along x and y. */
const GRID = { x: 180, y: 135 };
const LEVELS_A_DECADE = 4;
const HEAD = 5;

/** The picture, in three layers: contours, the paths so far, and what moves. */
export class Stage {
  readonly element = byId("stage", HTMLElement);
  readonly #ground = byId("ground", HTMLCanvasElement);
  readonly #paths = byId("paths", HTMLCanvasElement);
  readonly #heads = byId("heads", HTMLCanvasElement);
  readonly #x = scaleLinear();
  readonly #y = scaleLinear();
  #inks = { ink: "", paper: "" };
  #frames = 0;

  /** Takes the size of the page and the surface, and draws the ground; the other layers are empty then. */
  prepare(surface: Landscape): void {
    const { width, height } = this.element.getBoundingClientRect();
    this.#inks = { ink: colour("--ink"), paper: colour("--paper") };
    const density = Math.min(2, devicePixelRatio);
    for (const canvas of [this.#ground, this.#paths, this.#heads]) {
      canvas.width = Math.round(width * density);
      canvas.height = Math.round(height * density);
      contextOf(canvas).scale(density, density);
    }
    this.#x.domain(surface.domain.x).range([0, width]);
    this.#y.domain(surface.domain.y).range([height, 0]);
    this.#drawGround(surface, width, height);
  }

  /** The point of the plane under a point of the window. */
  pointAt(clientX: number, clientY: number): Point {
    const { left, top } = this.element.getBoundingClientRect();
    return { x: this.#x.invert(clientX - left), y: this.#y.invert(clientY - top) };
  }

  clearPaths(): void {
    this.#clear(this.#paths);
  }

  /** Adds the part of a path from one step to where it stands. */
  extend(racer: Racer, colour: string, from: number): void {
    this.#trace(contextOf(this.#paths), racer, colour, from, 2);
  }

  /** Draws what moves: the start, who stands where, and one path above all others. */
  drawHeads(heads: readonly { racer: Racer; colour: string }[], start: Point, chosen?: Racer): void {
    const context = this.#clear(this.#heads);
    this.#ring(context, start);
    this.element.classList.toggle("dimmed", chosen !== undefined);
    for (const { racer, colour } of heads) {
      if (chosen !== undefined && racer !== chosen) continue;
      if (racer === chosen) this.#trace(context, racer, colour, 0, 3.5);
      const { path } = racer;
      context.beginPath();
      context.arc(this.#x(path[path.length - 2]), this.#y(path[path.length - 1]), HEAD, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
      context.strokeStyle = this.#inks.paper;
      context.lineWidth = 1.5;
      context.stroke();
    }
    this.#heads.dataset.frames = String(++this.#frames);
  }

  #clear(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    const context = contextOf(canvas);
    context.clearRect(0, 0, canvas.width, canvas.height);
    return context;
  }

  #trace(context: CanvasRenderingContext2D, { path }: Racer, stroke: string, from: number, width: number): void {
    context.beginPath();
    context.moveTo(this.#x(path[2 * from]), this.#y(path[2 * from + 1]));
    for (let i = 2 * from + 2; i < path.length; i += 2) context.lineTo(this.#x(path[i]), this.#y(path[i + 1]));
    context.strokeStyle = stroke;
    context.lineWidth = width;
    context.lineJoin = context.lineCap = "round";
    context.stroke();
  }

  #ring(context: CanvasRenderingContext2D, { x, y }: Point): void {
    context.beginPath();
    context.arc(this.#x(x), this.#y(y), 8, 0, 2 * Math.PI);
    context.strokeStyle = this.#inks.ink;
    context.lineWidth = 2;
    context.stroke();
  }

  #drawGround(surface: Landscape, width: number, height: number): void {
    const { domain, minima } = surface;
    const [low, high] = surface.contours;
    const context = contextOf(this.#ground);
    const at = ([from, to]: readonly [number, number], i: number, n: number): number =>
      from + ((i + 0.5) / n) * (to - from);
    const logs = Array.from({ length: GRID.x * GRID.y }, (_, i) =>
      Math.log10(surface.loss(at(domain.x, i % GRID.x, GRID.x), at(domain.y, Math.floor(i / GRID.x), GRID.y)) + 1e-9),
    );
    const levels = range(low, high, (high - low) / Math.ceil((high - low) * LEVELS_A_DECADE));
    const shade = interpolateRgb(colour("--low"), colour("--high"));
    const toPixels = line()
      .x(([x]) => (x / GRID.x) * width)
      .y(([, y]) => height - (y / GRID.y) * height)
      .context(context);
    context.fillStyle = shade(0);
    context.fillRect(0, 0, width, height);
    context.strokeStyle = colour("--contour");
    context.lineWidth = 0.75;
    for (const { value, coordinates } of contours().size([GRID.x, GRID.y]).thresholds(levels)(logs)) {
      context.beginPath();
      for (const ring of coordinates.flat()) toPixels(ring as [number, number][]);
      context.fillStyle = shade((value - low) / (high - low));
      context.fill("evenodd");
      context.stroke();
    }
    for (const { x, y } of minima) {
      context.save();
      context.translate(this.#x(x), this.#y(y));
      context.beginPath();
      symbol(symbolStar, 150).context(context)();
      context.fillStyle = this.#inks.ink;
      context.strokeStyle = this.#inks.paper;
      context.lineWidth = 1.5;
      context.fill();
      context.stroke();
      context.restore();
    }
  }
}
