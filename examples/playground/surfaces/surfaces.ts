// The surfaces to choose from: those of the figures, and three with more than one way down.
import { type Point, type Surface, surfaces as drawn } from "../../figures/surfaces.ts";

export type { Point, Surface };

/** A surface of the playground, and all its global minima. */
export interface Landscape extends Surface {
  readonly minima: readonly Point[];
}

/** ½x² + ¼(y² − 1)²: the start is next to the ridge that leads to the saddle point at the origin. */
const saddle: Surface = {
  title: "Saddle",
  formula: "½x² + ¼(y² − 1)²",
  loss: (x, y) => 0.5 * x * x + 0.25 * (y * y - 1) * (y * y - 1),
  gradient: (x, y) => [x, y * (y * y - 1)],
  minimum: { x: 0, y: 1 },
  start: { x: -1.8, y: 0.01 },
  domain: { x: [-2.1, 2.1], y: [-1.5, 1.5] },
  contours: [-2.5, 0.5],
  steps: 200,
};

/** Himmelblau (1972): four minima of the same height. */
const himmelblau: Surface = {
  title: "Himmelblau",
  formula: "(x² + y − 11)² + (x + y² − 7)²",
  loss: (x, y) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
  gradient: (x, y) => {
    const [a, b] = [x * x + y - 11, x + y * y - 7];
    return [4 * x * a + 2 * b, 2 * a + 4 * y * b];
  },
  minimum: { x: 3, y: 2 },
  start: { x: -0.5, y: -1 },
  domain: { x: [-6, 6], y: [-5, 5] },
  contours: [-0.5, 2.75],
  steps: 200,
};

/** Rastrigin (1974), gentler: a bowl full of dents, with the lowest at the origin. */
const rastrigin: Surface = {
  title: "Rastrigin",
  formula: "x² + y² + 2 − cos 2πx − cos 2πy",
  loss: (x, y) => x * x + y * y + 2 - Math.cos(2 * Math.PI * x) - Math.cos(2 * Math.PI * y),
  gradient: (x, y) => [
    2 * x + 2 * Math.PI * Math.sin(2 * Math.PI * x),
    2 * y + 2 * Math.PI * Math.sin(2 * Math.PI * y),
  ],
  minimum: { x: 0, y: 0 },
  start: { x: -2.6, y: 1.6 },
  domain: { x: [-3.3, 3.3], y: [-2.4, 2.4] },
  contours: [-0.6, 1.25],
  steps: 200,
};

const one = (surface: Surface): Landscape => ({ ...surface, minima: [surface.minimum] });

export const landscapes = {
  rosenbrock: one(drawn.rosenbrock),
  quadratic: one(drawn.quadratic),
  beale: one(drawn.beale),
  saddle: { ...saddle, minima: [saddle.minimum, { x: 0, y: -1 }] },
  himmelblau: {
    ...himmelblau,
    minima: [
      himmelblau.minimum,
      { x: -2.805118, y: 3.131312 },
      { x: -3.77931, y: -3.283186 },
      { x: 3.584428, y: -1.848126 },
    ],
  },
  rastrigin: one(rastrigin),
} as const satisfies Record<string, Landscape>;
export type LandscapeKey = keyof typeof landscapes;
export const landscapeKeys = Object.keys(landscapes) as LandscapeKey[];
