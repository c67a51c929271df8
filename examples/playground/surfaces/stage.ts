import { contours, interpolateRgb, line, range, scaleLinear, symbol, symbolStar } from "d3";
import { byId, contextOf } from "../page/dom.ts";
import { colour } from "../page/theme.ts";
import { LINE, type Placed, placeLabels } from "./labels.ts";
import type { PathLook } from "./palette.ts";
import type { Racer } from "./racer.ts";
import type { Landscape, Point } from "./surfaces.ts";

/** Samples of the surface along x and y. */
const GRID = { x: 240, y: 140 };
const LEVELS_A_DECADE = 4;
const HEAD = 5;
const FONT = "600 13px system-ui, sans-serif";
/** Width of the outline of a name. */
const OUTLINE = 2;

/** A name with its outline, and its width without. */
interface NamePicture {
  readonly canvas: HTMLCanvasElement;
  readonly width: number;
}

/** A racer, its name, and how its path is drawn. */
export interface Entry {
  readonly racer: Racer;
  readonly name: string;
  readonly look: PathLook;
}

/** The picture, in three layers: contours, the paths so far, and what moves. */
export class Stage {
  readonly element = byId("stage", HTMLElement);
  readonly #ground = byId("ground", HTMLCanvasElement);
  readonly #paths = byId("paths", HTMLCanvasElement);
  readonly #heads = byId("heads", HTMLCanvasElement);
  readonly #x = scaleLinear();
  readonly #y = scaleLinear();
  /** Names as pictures: text is slow to draw. */
  readonly #names = new Map<string, NamePicture>();
  /** How long the paths drawn are, so that dashes go on where they were. */
  readonly #lengths = new Map<Racer, number>();
  #size = { width: 0, height: 0 };
  /** Pixels of the canvases to one of the page. */
  #density = 1;
  #minima: readonly Point[] = [];
  #inks = { ink: "", paper: "" };
  #labels = new Map<string, Placed>();
  #frames = 0;

  /** Takes the size of the page and the surface, and draws the ground; the other layers are empty then. */
  prepare(surface: Landscape): void {
    const { width, height } = this.element.getBoundingClientRect();
    this.#size = { width, height };
    this.#minima = surface.minima;
    this.#inks = { ink: colour("--ink"), paper: colour("--paper") };
    const density = (this.#density = Math.min(2, devicePixelRatio));
    for (const canvas of [this.#ground, this.#paths, this.#heads]) {
      canvas.width = Math.round(width * density);
      canvas.height = Math.round(height * density);
      contextOf(canvas).scale(density, density);
    }
    this.#x.domain(surface.domain.x).range([0, width]);
    this.#y.domain(surface.domain.y).range([height, 0]);
    this.#names.clear();
    this.#drawGround(surface, width, height);
  }

  /** The point of the plane under a point of the window. */
  pointAt(clientX: number, clientY: number): Point {
    const { left, top } = this.element.getBoundingClientRect();
    return { x: this.#x.invert(clientX - left), y: this.#y.invert(clientY - top) };
  }

  clearPaths(): void {
    this.#clear(this.#paths);
    this.#labels.clear();
    this.#lengths.clear();
  }

  /** Adds the part of a path from one step to where it stands. */
  extend({ racer, look }: Entry, from: number): void {
    const drawn = from === 0 ? 0 : (this.#lengths.get(racer) ?? 0);
    this.#lengths.set(racer, drawn + this.#trace(contextOf(this.#paths), racer, look, from, 2, drawn));
  }

  /**
   * Draws what moves: the start, who is where, and one path above all others. The heads of those who have arrived are left
   * out, since the star is there; their names stay.
   */
  drawHeads(entries: readonly Entry[], start: Point, chosen?: Racer): void {
    const context = this.#clear(this.#heads);
    this.element.classList.toggle("dimmed", chosen !== undefined);
    this.#ring(context, start);
    const shown = entries.filter(({ racer }) => chosen === undefined || racer === chosen);
    for (const { racer, look } of shown) {
      if (racer === chosen) this.#trace(context, racer, look, 0, 3.5);
      if (racer.fate !== "arrived") this.#dot(context, this.#headOf(racer), look.colour);
    }
    for (const minimum of this.#minima) this.#star(context, minimum);
    this.#drawNames(context, shown);
    this.#heads.dataset.frames = String(++this.#frames);
  }

  #headOf({ path }: Racer): { x: number; y: number } {
    return { x: this.#x(path[path.length - 2]), y: this.#y(path[path.length - 1]) };
  }

  #drawNames(context: CanvasRenderingContext2D, entries: readonly Entry[]): void {
    const byName = new Map(entries.map((entry) => [entry.name, entry]));
    const heads = entries.map(({ racer, name, look }) => ({
      key: name,
      ...this.#headOf(racer),
      width: this.#picture(name, look.colour).width,
    }));
    this.#labels = placeLabels(heads, this.#size, this.#labels);
    for (const [name, { x, y, far }] of this.#labels) {
      const { look, racer } = byName.get(name)!;
      const { canvas, width } = this.#picture(name, look.colour);
      if (far) {
        const head = this.#headOf(racer);
        context.beginPath();
        context.moveTo(head.x, head.y);
        context.lineTo(x < head.x ? x + width + 3 : x - 3, y);
        context.strokeStyle = look.colour;
        context.lineWidth = 1;
        context.stroke();
      }
      // pixel on pixel, which is quick
      const left = Math.round((x - OUTLINE) * this.#density) / this.#density;
      const top = Math.round((y - LINE / 2) * this.#density) / this.#density;
      context.drawImage(canvas, left, top, canvas.width / this.#density, canvas.height / this.#density);
    }
  }

  #picture(name: string, colour: string): NamePicture {
    const key = `${name} ${colour}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const canvas = document.createElement("canvas");
    const context = contextOf(canvas);
    context.font = FONT;
    const { width } = context.measureText(name);
    canvas.width = Math.ceil((width + 2 * OUTLINE) * this.#density);
    canvas.height = Math.ceil(LINE * this.#density);
    context.scale(this.#density, this.#density);
    context.font = FONT;
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.strokeStyle = this.#inks.paper;
    context.lineWidth = 2 * OUTLINE;
    context.strokeText(name, OUTLINE, LINE / 2);
    context.fillStyle = colour;
    context.fillText(name, OUTLINE, LINE / 2);
    const picture = { canvas, width };
    this.#names.set(key, picture);
    return picture;
  }

  #clear(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
    const context = contextOf(canvas);
    context.clearRect(0, 0, canvas.width, canvas.height);
    return context;
  }

  /** Draws a path from a step on; gives its length in pixels. */
  #trace(
    context: CanvasRenderingContext2D,
    { path }: Racer,
    { colour, dash }: PathLook,
    from: number,
    width: number,
    offset = 0,
  ): number {
    let length = 0;
    let [x, y] = [this.#x(path[2 * from]), this.#y(path[2 * from + 1])];
    context.beginPath();
    context.moveTo(x, y);
    for (let i = 2 * from + 2; i < path.length; i += 2) {
      const [toX, toY] = [this.#x(path[i]), this.#y(path[i + 1])];
      context.lineTo(toX, toY);
      length += Math.hypot(toX - x, toY - y);
      [x, y] = [toX, toY];
    }
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.lineJoin = "round";
    context.lineCap = dash.length === 0 ? "round" : "butt";
    context.setLineDash([...dash]);
    context.lineDashOffset = offset;
    context.stroke();
    context.setLineDash([]);
    return length;
  }

  #dot(context: CanvasRenderingContext2D, { x, y }: Point, fill: string): void {
    context.beginPath();
    context.arc(x, y, HEAD, 0, 2 * Math.PI);
    context.fillStyle = fill;
    context.fill();
    context.strokeStyle = this.#inks.paper;
    context.lineWidth = 1.5;
    context.stroke();
  }

  #ring(context: CanvasRenderingContext2D, { x, y }: Point): void {
    context.beginPath();
    context.arc(this.#x(x), this.#y(y), 8, 0, 2 * Math.PI);
    context.strokeStyle = this.#inks.ink;
    context.lineWidth = 2;
    context.stroke();
  }

  #star(context: CanvasRenderingContext2D, { x, y }: Point): void {
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

  #drawGround(surface: Landscape, width: number, height: number): void {
    const { domain } = surface;
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
  }
}
