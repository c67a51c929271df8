/** A point of the plane. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The part of the plane that a picture shows. */
export interface Domain {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/** A loss of two parameters, and how its pictures are framed. */
export interface Surface {
  readonly title: string;
  /** The formula, for captions. */
  readonly formula: string;
  loss(x: number, y: number): number;
  gradient(x: number, y: number): readonly [number, number];
  readonly minimum: Point;
  /** Where every descent begins. */
  readonly start: Point;
  readonly domain: Domain;
  /** log₁₀ of the losses of the first and of the last contour. */
  readonly contours: readonly [number, number];
  /** Steps of a path. */
  readonly steps: number;
}

/** A long valley along x: the curvatures are 1 and 25, so plain descent is unstable from lr = 2/25 on. */
const quadratic: Surface = {
  title: "Quadratic",
  formula: "½(x² + 25y²)",
  loss: (x, y) => 0.5 * (x * x + 25 * y * y),
  gradient: (x, y) => [x, 25 * y],
  minimum: { x: 0, y: 0 },
  start: { x: -9, y: 2 },
  domain: { x: [-10.5, 3.5], y: [-3, 3] },
  contours: [-1.5, 2],
  steps: 100,
};

/** Rosenbrock (1960): a bent valley with a steep wall and a nearly flat floor. */
const rosenbrock: Surface = {
  title: "Rosenbrock",
  formula: "(1 − x)² + 100(y − x²)²",
  loss: (x, y) => (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x),
  gradient: (x, y) => [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
  minimum: { x: 1, y: 1 },
  start: { x: -1.2, y: 1 },
  domain: { x: [-1.6, 1.4], y: [-0.3, 1.7] },
  contours: [-1.5, 3],
  steps: 300,
};

/** The three terms of Beale's function, with their derivatives by x and by y. */
function bealeTerms(x: number, y: number): readonly (readonly [number, number, number])[] {
  return [
    [1.5 - x + x * y, y - 1, x],
    [2.25 - x + x * y * y, y * y - 1, 2 * x * y],
    [2.625 - x + x * y * y * y, y * y * y - 1, 3 * x * y * y],
  ];
}

/** Beale (1958): plateaus, sharp walls at the corners, a narrow curved way to the minimum. */
const beale: Surface = {
  title: "Beale",
  formula: "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
  loss: (x, y) => bealeTerms(x, y).reduce((sum, [term]) => sum + term * term, 0),
  gradient: (x, y) => {
    const terms = bealeTerms(x, y);
    return [
      terms.reduce((sum, [term, byX]) => sum + 2 * term * byX, 0),
      terms.reduce((sum, [term, , byY]) => sum + 2 * term * byY, 0),
    ];
  },
  minimum: { x: 3, y: 0.5 },
  start: { x: 1, y: 1.5 },
  domain: { x: [-0.2, 4.3], y: [-1.6, 2] },
  contours: [-1.5, 3],
  steps: 500,
};

export const surfaces = { quadratic, rosenbrock, beale } as const;
export type SurfaceKey = keyof typeof surfaces;
