import * as Plot from "@observablehq/plot";
import { descend } from "./descend.ts";
import { WIDTH, figure } from "./figure.ts";
import { type Landmark, contourColours, contours, curve, dots, panel } from "./plot.ts";
import { type FigureRule, families, familyTitles, rules } from "./rules.ts";
import { type Point, type SurfaceKey, surfaces } from "./surfaces.ts";
import { inks } from "./theme.ts";

const texts: Record<SurfaceKey, { readonly title: string; readonly seen: string }> = {
  quadratic: {
    title: "Every rule on an ill-conditioned quadratic",
    seen: "SGD zigzags across the valley and momentum swings past the minimum; a step size for each axis sets off diagonally.",
  },
  rosenbrock: {
    title: "Every rule on Rosenbrock’s function",
    seen: "All drop into the bent valley at once; they differ in how far along its nearly flat floor these steps take them.",
  },
  beale: {
    title: "Every rule on Beale’s function",
    seen: "From the wall, most overshoot the valley and come back; AdamW’s weight decay stops it short of the minimum.",
  },
};

/** The ways of every rule over one surface: rules with one rate on the left, those with a rate a parameter on the right. */
export function paths(key: SurfaceKey): string {
  const surface = surfaces[key];
  const pace = surface.steps / 10;
  const byFamily = families.map((family) =>
    rules
      .filter((rule) => rule.family === family)
      .map((rule, place) => ({
        rule,
        width: widthOf(place),
        visits: descend(surface, (params) => rule.make(params, rule.lr[key])),
      })),
  );
  const panels = byFamily.map((runs, i) =>
    panel({
      title: familyTitles[families[i]],
      width: (WIDTH - 16) / 2,
      height: 380,
      frame: surface.domain,
      xLabel: "x (first parameter)",
      yLabel: "y (second parameter)",
      options: { color: contourColours(surface.contours) },
      marks: (frame) => [
        contours(frame, (x, y) => surface.loss(x, y), surface.contours),
        ...landmarks(surface.start, surface.minimum),
        ...runs.flatMap(({ rule, visits, width }) => [
          ...curve(frame, visits, { ...rule, width }),
          dots(frame, visits.filter(({ step }) => step % pace === 0).slice(1, -1), { ...dotOf(rule), r: 2.8 }),
        ]),
        ...runs.map(({ rule, visits }) => dots(frame, visits.slice(-1), { ...dotOf(rule), r: 4 })),
        ...landmarkNames(surface.start, surface.minimum),
      ],
      names: runs.map(({ rule, visits }) => ({
        look: { ...rule, label: `${rule.label}, lr ${rule.lr[key]}` },
        points: visits,
        marked: true,
      })),
      landmarks: landmarksOf(surface.start, surface.minimum),
    }),
  );
  const { title, seen } = texts[key];
  return figure({
    title,
    subtitle: [
      `f(x, y) = ${surface.formula}; ${surface.steps} steps, a small dot every ${pace}, a large one at the end.`,
      seen,
    ],
    rows: [panels],
    notes: [
      "Contours: two a decade of f, darker is higher. Exact gradients; options not named here have their defaults.",
      "EMA is SGD whose momentum is a bias-corrected moving average.",
    ],
  });
}

function dotOf({ label, colour }: FigureRule): Plot.DotOptions {
  return { fill: colour, stroke: inks.paper, strokeWidth: 0.8, ariaLabel: () => `stage: ${label}` };
}

/** Later curves are narrower, so that one that runs under another shows at its sides. */
export const widthOf = (place: number): number => 3.6 - 0.5 * place;

/** Marks of the start and of the minimum. */
export function landmarks(start: Point, minimum: Point): Plot.Markish[] {
  const at = { x: "x", y: "y" } as const;
  return [
    Plot.dot([start], { ...at, r: 5, fill: inks.paper, stroke: inks.ink, strokeWidth: 2, ariaLabel: () => "start" }),
    Plot.dot([minimum], {
      ...at,
      symbol: "star",
      r: 9,
      fill: inks.ink,
      stroke: inks.paper,
      ariaLabel: () => "minimum",
    }),
  ];
}

/** Their names, which no other name may cover. */
export const landmarksOf = (start: Point, minimum: Point): Landmark[] => [
  { ...start, text: "start", dy: -15 },
  { ...minimum, text: "minimum", dy: 19 },
];

/** The names, to be drawn last. */
export function landmarkNames(start: Point, minimum: Point): Plot.Markish[] {
  const look = { x: "x", y: "y", stroke: inks.paper, strokeWidth: 4, fill: inks.ink, fontWeight: 600 } as const;
  return landmarksOf(start, minimum).map((one) => Plot.text([one], { ...look, text: "text", dy: one.dy }));
}
