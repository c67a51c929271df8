// Colours for paths. Eight that readers with any kind of colour vision tell apart, as test/playground/palette.test.ts computes;
// from the ninth rule on they come again with dashes.

export const colours = {
  light: ["#4d36fa", "#be3e3f", "#137a75", "#a56803", "#be22b2", "#012e58", "#51152d", "#363601"],
  dark: ["#a2b4fe", "#e65f1b", "#71f7fb", "#f6e195", "#d4659d", "#329e5d", "#b668f9", "#a9f831"],
} as const;
export type Theme = keyof typeof colours;

/** Lengths of strokes and gaps in pixels. */
const dashes: readonly (readonly number[])[] = [[], [9, 4], [2, 4], [12, 4, 2, 4], [2, 9]];

/** How the path of the rule in a place is drawn. */
export interface PathLook {
  readonly colour: string;
  readonly dash: readonly number[];
}

export const lookOf = (place: number, theme: Theme): PathLook => ({
  colour: colours[theme][place % colours[theme].length],
  dash: dashes[Math.floor(place / colours[theme].length) % dashes.length],
});

/** Gives rules places, the lowest that are free, and keeps those that they have. */
export class Places<Key> {
  readonly #places = new Map<Key, number>();

  /** Those who are not among `keys` lose their places. */
  assign(keys: readonly Key[]): void {
    for (const key of this.#places.keys()) if (!keys.includes(key)) this.#places.delete(key);
    const taken = new Set(this.#places.values());
    let place = 0;
    for (const key of keys) {
      if (this.#places.has(key)) continue;
      while (taken.has(place)) place++;
      taken.add(place);
      this.#places.set(key, place);
    }
  }

  of(key: Key): number {
    return this.#places.get(key) ?? 0;
  }
}
