// Where the names of rules go: next to the heads of their paths, without covering each other.

/** The head of a path, and how wide its name is, in pixels. */
export interface Head<Key> {
  readonly key: Key;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** Where a name is: its left end and the middle of its height. */
export interface Placed {
  readonly x: number;
  readonly y: number;
  /** Which of the candidates it has. */
  readonly slot: number;
  /** Whether it is so far off its head that a line should join them. */
  readonly far: boolean;
}

const GAP = 9;
export const LINE = 16;
const ROWS = [0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6];
const SLOTS = ROWS.flatMap((row) => [
  { row, side: 1 },
  { row, side: -1 },
]);

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * Places names in the order of the heads: each where it was before, if it can, or else at the nearest free place. A name for
 * which there is no place is left out.
 */
export function placeLabels<Key>(
  heads: readonly Head<Key>[],
  size: { readonly width: number; readonly height: number },
  before: ReadonlyMap<Key, Placed> = new Map(),
): Map<Key, Placed> {
  const taken: Box[] = [];
  const placed = new Map<Key, Placed>();
  const dots = heads.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }));
  for (const [i, { key, x, y, width }] of heads.entries()) {
    const last = before.get(key)?.slot;
    const slots = last === undefined ? SLOTS.keys() : [last, ...SLOTS.keys()];
    for (const slot of slots) {
      const { row, side } = SLOTS[slot];
      const reach = GAP + (Math.abs(row) > 1 ? GAP : 0);
      const left = side > 0 ? x + reach : x - reach - width;
      const middle = y + row * LINE;
      const box = { left: left - 2, right: left + width + 2, top: middle - LINE / 2, bottom: middle + LINE / 2 };
      const inside = box.left >= 0 && box.right <= size.width && box.top >= 0 && box.bottom <= size.height;
      if (
        !inside ||
        taken.some((other) => overlap(box, other)) ||
        (row === 0 && dots.some((dot, j) => j !== i && overlap(box, dot)))
      )
        continue;
      taken.push(box);
      placed.set(key, { x: left, y: middle, slot, far: Math.abs(row) > 1 });
      break;
    }
  }
  return placed;
}

const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
