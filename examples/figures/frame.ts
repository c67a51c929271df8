import type { Domain, Point } from "./surfaces.ts";

/** What a panel shows of the plane; a logarithmic axis has a positive range. */
export interface Frame extends Domain {
  readonly logX?: boolean;
  readonly logY?: boolean;
}

/** Where a curve leaves its frame, and the turn in degrees that points an upward mark outwards. */
export interface Exit extends Point {
  readonly turn: number;
}

/** A curve as a panel shows it: the pieces within the frame, and where it leaves. */
export interface Shown {
  readonly pieces: readonly (readonly Point[])[];
  readonly exits: readonly Exit[];
}

/** Fractions of the frame's width and height, 0 to 1 inside. */
export function toUnit({ x, y, logX = false, logY = false }: Frame, point: Point): Point {
  return { x: fraction(x, logX, point.x), y: fraction(y, logY, point.y) };
}

function fraction([low, high]: readonly [number, number], log: boolean, value: number): number {
  if (!log) return (value - low) / (high - low);
  return Math.log(Math.max(value, 1e-300) / low) / Math.log(high / low);
}

function fromUnit({ x, y, logX = false, logY = false }: Frame, unit: Point): Point {
  return { x: value(x, logX, unit.x), y: value(y, logY, unit.y) };
}

function value([low, high]: readonly [number, number], log: boolean, at: number): number {
  return log ? low * (high / low) ** at : low + at * (high - low);
}

const inside = ({ x, y }: Point): boolean => x >= 0 && x <= 1 && y >= 0 && y <= 1;

/** The part of a to b within the unit square, as fractions of the way (Liang and Barsky, 1984). */
function crossing(a: Point, b: Point): readonly [number, number] | undefined {
  let enter = 0;
  let leave = 1;
  for (const axis of ["x", "y"] as const) {
    const way = b[axis] - a[axis];
    if (way === 0) {
      if (a[axis] < 0 || a[axis] > 1) return undefined;
      continue;
    }
    const [near, far] = way > 0 ? [0, 1] : [1, 0];
    enter = Math.max(enter, (near - a[axis]) / way);
    leave = Math.min(leave, (far - a[axis]) / way);
  }
  return enter < leave ? [enter, leave] : undefined;
}

/** The border that a point is on or nearest to, as the turn of an upward mark. */
function outwards({ x, y }: Point): number {
  const gaps = [1 - y, 1 - x, y, x];
  return gaps.indexOf(Math.min(...gaps)) * 90;
}

/** Cuts a curve at the frame's border. A point that is not finite counts as outside, with its way there unknown. */
export function show(frame: Frame, points: readonly Point[]): Shown {
  const pieces: Point[][] = [];
  const exits: Exit[] = [];
  const leave = (unit: Point): number => exits.push({ ...fromUnit(frame, unit), turn: outwards(unit) });
  let piece: Point[] | undefined;
  let last: Point | undefined;
  for (const point of points) {
    const unit = toUnit(frame, point);
    const finite = Number.isFinite(unit.x) && Number.isFinite(unit.y);
    const part = last !== undefined && finite ? crossing(last, unit) : undefined;
    const onTheWay = (t: number): Point => ({
      x: last!.x + t * (unit.x - last!.x),
      y: last!.y + t * (unit.y - last!.y),
    });
    if (piece === undefined && part !== undefined && part[0] > 0) {
      piece = [fromUnit(frame, onTheWay(part[0]))];
      pieces.push(piece);
    }
    if (finite && inside(unit)) {
      if (piece === undefined) pieces.push((piece = []));
      piece.push(point);
    } else if (piece !== undefined) {
      const border = part === undefined ? last! : onTheWay(part[1]);
      piece.push(fromUnit(frame, border));
      leave(border);
      piece = undefined;
    }
    last = finite ? unit : undefined;
  }
  return { pieces, exits };
}

/** Drops points nearer than `gap` pixels to the one kept before; the ends of each piece stay. */
export function thin(frame: Frame, width: number, height: number, points: readonly Point[], gap = 1): Point[] {
  const kept: Point[] = [];
  let last: Point | undefined;
  points.forEach((point, i) => {
    const unit = toUnit(frame, point);
    const near = last !== undefined && ((unit.x - last.x) * width) ** 2 + ((unit.y - last.y) * height) ** 2 < gap * gap;
    if (near && i < points.length - 1) return;
    kept.push(point);
    last = unit;
  });
  return kept;
}
