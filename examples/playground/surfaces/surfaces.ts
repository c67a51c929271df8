// The surfaces to choose from: those of the figures, and three with more than one way down.
import { type Point, type Surface, surfaces as drawn } from "../../figures/surfaces.ts";

export type { Point, Surface };

/** A surface of the playground. */
export interface Landscape extends Surface {
  /** One sentence: what is difficult about it. */
  readonly about: string;
  /** All global minima; the loss is 0 there. */
  readonly minima: readonly Point[];
  /** Minima that are not global, where a descent may end. */
  readonly localMinima: readonly Point[];
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
  start: { x: -0.3, y: 0.5 },
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

/** The minima of one term of Rastrigin's function, x² + 1 − cos 2πx, nearest to −3, −2 … 3: Newton's method. */
const dents = [-3, -2, -1, 0, 1, 2, 3].map((x) => {
  for (let i = 0; i < 20; i++)
    x -= (x + Math.PI * Math.sin(2 * Math.PI * x)) / (1 + 2 * Math.PI ** 2 * Math.cos(2 * Math.PI * x));
  return x;
});

const one = (surface: Surface, about: string): Landscape => ({
  ...surface,
  about,
  minima: [surface.minimum],
  localMinima: [],
});

export const landscapes = {
  rosenbrock: one(
    drawn.rosenbrock,
    "A bent valley with steep walls: finding the valley is easy, following its nearly flat floor is slow.",
  ),
  quadratic: one(
    drawn.quadratic,
    "A long bowl, 25 times as steep across as along: one learning rate is too large for y or too small for x.",
  ),
  beale: one(drawn.beale, "A cliff, then a plateau: the gradient is huge at the start and tiny near the minimum."),
  saddle: {
    ...saddle,
    about:
      "The start is almost on a ridge, which leads to a saddle point: an optimizer has to turn off to a minimum in time.",
    minima: [saddle.minimum, { x: 0, y: -1 }],
    localMinima: [],
  },
  himmelblau: {
    ...himmelblau,
    about: "Four minima, equally low: optimizers that set off from the same point may end in different ones.",
    minima: [
      himmelblau.minimum,
      { x: -2.805118, y: 3.131312 },
      { x: -3.77931, y: -3.283186 },
      { x: 3.584428, y: -1.848126 },
    ],
    localMinima: [],
  },
  rastrigin: {
    ...one(
      rastrigin,
      "A bowl full of dents: most optimizers stop in one of them, and few get to the lowest, at the star.",
    ),
    localMinima: dents.flatMap((x) => dents.map((y) => ({ x, y }))).filter(({ x, y }) => Math.hypot(x, y) > 0.5),
  },
} as const satisfies Record<string, Landscape>;
export type LandscapeKey = keyof typeof landscapes;
export const landscapeKeys = Object.keys(landscapes) as LandscapeKey[];
