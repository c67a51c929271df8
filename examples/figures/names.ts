// Finds places for the names of curves: beside them, where neither other curves nor other names are.

/** A point in pixels. */
export interface Pixel {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A curve to be named: its points, in pieces, or dots that no line joins. */
export interface Named {
  readonly text: string;
  readonly pieces: readonly (readonly Pixel[])[];
  /** Where it has a mark of its colour, to which the name belongs if no other mark is near. */
  readonly mark?: Pixel | undefined;
}

/** Where a name begins (the left end of its base line) and, where it is off its curve, the line that leads there. */
export interface Name extends Pixel {
  readonly box: Box;
  readonly leader: readonly [Pixel, Pixel] | undefined;
}

export const SIZE = 12;
const LETTER = 0.63;
const HEIGHT = SIZE + 4;
const CELL = 4;
const ANGLES = Array.from({ length: 16 }, (_, i) => (i * Math.PI) / 8);
const DISTANCES = [5, 9, 16, 26, 40, 58, 80];
const ANCHORS = 70;
/** From this distance on a line joins a name and its curve. */
const FAR = 12;

export const widthOf = (text: string): number => text.length * SIZE * LETTER + 4;

/** Places in the frame for all names, each as good as the others allow. */
export function placeNames(frame: Box, curves: readonly Named[], taken: readonly Box[] = []): Name[] {
  const ink = new Ink(frame, curves);
  const candidates = curves.map((curve, i) => candidatesOf(frame, curves, i, ink, taken));
  const chosen: (Candidate | undefined)[] = curves.map(() => undefined);
  // those with the least choice first, then each again, as the others stand
  const order = curves
    .map((_, i) => i)
    .sort((a, b) => candidates[a][0].cost - candidates[b][0].cost)
    .reverse();
  for (let pass = 0; pass < 4; pass++)
    for (const i of order) {
      let least = Infinity;
      for (const candidate of candidates[i]) {
        if (candidate.cost >= least) break;
        let cost = candidate.cost;
        for (const [k, other] of chosen.entries())
          if (k !== i && other !== undefined) cost += conflict(candidate, other);
        if (cost < least) [least, chosen[i]] = [cost, candidate];
      }
    }
  return chosen.map((one) => {
    const { box, leader } = one!;
    return { x: box.left + 2, y: box.bottom - 4.5, box, leader };
  });
}

interface Candidate {
  readonly box: Box;
  readonly leader: readonly [Pixel, Pixel] | undefined;
  readonly cost: number;
}

function candidatesOf(frame: Box, curves: readonly Named[], own: number, ink: Ink, taken: readonly Box[]): Candidate[] {
  const { text, pieces, mark } = curves[own];
  const isAlone = curves.every((one, i) => i === own || !isNear(one.mark, mark));
  const width = widthOf(text);
  const found: Candidate[] = [];
  for (const anchor of [...anchorsOf(pieces), ...(mark === undefined ? [] : [mark])]) {
    const crowd =
      anchor === mark && isAlone
        ? -20
        : 3 * ink.others(around(anchor, 8), own) + (ink.others(around(anchor, 2), own) > 0 ? 40 : 0);
    for (const angle of ANGLES)
      for (const distance of DISTANCES) {
        const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
        const x = anchor.x + dx * (distance + width / 2);
        const y = anchor.y + dy * (distance + HEIGHT / 2);
        const box = { left: x - width / 2, right: x + width / 2, top: y - HEIGHT / 2, bottom: y + HEIGHT / 2 };
        const inside =
          box.left > frame.left + 3 &&
          box.right < frame.right - 3 &&
          box.top > frame.top + 2 &&
          box.bottom < frame.bottom - 2;
        if (!inside || taken.some((other) => overlap(box, other))) continue;
        const end = { x: clamp(anchor.x, box.left, box.right), y: clamp(anchor.y, box.top + 2, box.bottom - 2) };
        const gap = Math.hypot(end.x - anchor.x, end.y - anchor.y);
        const leader = gap > FAR ? ([anchor, end] as const) : undefined;
        const cost =
          0.4 * gap +
          crowd +
          7 * ink.others(box, own) +
          2 * ink.others(grown(box, 4), own) +
          4 * ink.own(box, own) +
          (leader === undefined ? 0 : 4 + 12 * ink.crossed(leader, own));
        found.push({ box, leader, cost });
      }
  }
  if (found.length === 0) throw new RangeError(`no place for the name "${text}"`);
  return found.sort((a, b) => a.cost - b.cost);
}

const isNear = (a: Pixel | undefined, b: Pixel | undefined): boolean =>
  a !== undefined && b !== undefined && Math.hypot(a.x - b.x, a.y - b.y) < 12;

/** Points along a curve, at equal distances. */
function anchorsOf(pieces: readonly (readonly Pixel[])[]): Pixel[] {
  const along = pieces.flatMap((piece) => [...steps(piece, 3)]);
  const every = Math.max(1, along.length / ANCHORS);
  return Array.from({ length: Math.ceil(along.length / every) }, (_, i) => along[Math.floor(i * every)]);
}

function conflict(a: Candidate, b: Candidate): number {
  let cost = overlap(grown(a.box, 2), b.box) ? 1000 : 0;
  for (const [line, box] of [
    [a.leader, b.box],
    [b.leader, a.box],
  ] as const)
    if (
      line !== undefined &&
      [...steps(line, 3)].some(({ x, y }) => x > box.left && x < box.right && y > box.top && y < box.bottom)
    )
      cost += 200;
  return cost;
}

/** Which curves pass through which cells of the frame. */
class Ink {
  readonly #frame: Box;
  readonly #columns: number;
  readonly #rows: number;
  /** A bit a curve. */
  readonly #cells: Uint32Array;

  constructor(frame: Box, curves: readonly Named[]) {
    this.#frame = frame;
    this.#columns = Math.ceil((frame.right - frame.left) / CELL) + 1;
    this.#rows = Math.ceil((frame.bottom - frame.top) / CELL) + 1;
    this.#cells = new Uint32Array(this.#columns * this.#rows);
    curves.forEach(({ pieces }, i) => {
      for (const piece of pieces) for (const point of steps(piece, 2)) this.#cells[this.#cell(point)] |= 1 << i;
    });
  }

  #cell({ x, y }: Pixel): number {
    const column = clamp(Math.floor((x - this.#frame.left) / CELL), 0, this.#columns - 1);
    const row = clamp(Math.floor((y - this.#frame.top) / CELL), 0, this.#rows - 1);
    return row * this.#columns + column;
  }

  /** How often a curve passes through a cell of the box. */
  #count({ left, top, right, bottom }: Box, mask: number): number {
    let count = 0;
    for (let y = top; y <= bottom; y += CELL)
      for (let x = left; x <= right; x += CELL)
        for (let bits = this.#cells[this.#cell({ x, y })] & mask; bits !== 0; bits &= bits - 1) count++;
    return count;
  }

  own = (box: Box, own: number): number => this.#count(box, 1 << own);
  others = (box: Box, own: number): number => this.#count(box, ~(1 << own));
  crossed = (line: readonly [Pixel, Pixel], own: number): number =>
    [...steps(line, CELL)].slice(2).filter((point) => (this.#cells[this.#cell(point)] & ~(1 << own)) !== 0).length;
}

/** Points of a way, no further apart than `gap`. */
function* steps(way: readonly Pixel[], gap: number): Generator<Pixel> {
  for (const [i, to] of way.entries()) {
    const from = way[Math.max(0, i - 1)];
    const parts = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / gap));
    for (let k = 1; k <= parts; k++)
      yield { x: from.x + ((to.x - from.x) * k) / parts, y: from.y + ((to.y - from.y) * k) / parts };
  }
}

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
const grown = ({ left, top, right, bottom }: Box, by: number): Box => ({
  left: left - by,
  top: top - by,
  right: right + by,
  bottom: bottom + by,
});
const around = ({ x, y }: Pixel, by: number): Box => grown({ left: x, right: x, top: y, bottom: y }, by);
export const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
