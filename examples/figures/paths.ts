import * as Plot from "@observablehq/plot";
import { range } from "d3";
import { secondsFor, stepsAfter } from "../playground/surfaces/pace.ts";
import { type Visit, descend } from "./descend.ts";
import { WIDTH, figure } from "./figure.ts";
import { Animation, clock, moves, reveal, trackOf } from "./motion.ts";
import { type Landmark, type NamedCurve, contourColours, contours, curve, dots, panel, pixelsIn } from "./plot.ts";
import { element } from "./svg.ts";
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
  const panels = runsOn(key).map((runs, i) =>
    panel({
      ...size,
      title: familyTitles[families[i]],
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
      names: namesOf(runs, key),
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
    notes,
  });
}

/** The same runs as a moving picture: heads go along the paths that they draw. Without motion it shows the whole paths. */
export function movingPaths(key: SurfaceKey): string {
  const surface = surfaces[key];
  const pace = key === "quadratic" ? 20 : 40;
  const last = secondsFor(surface.steps, pace);
  const times = range(0, last, 1 / FRAMES_A_SECOND).concat(last);
  const steps = times.map((second) => Math.min(surface.steps, stepsAfter(second, pace)));
  const animation = new Animation(last + HOLD);
  const toPixel = pixelsIn({ ...size, frame: surface.domain });
  const panels = runsOn(key).map((runs, i) => {
    const drawn = panel({
      ...size,
      title: familyTitles[families[i]],
      frame: surface.domain,
      xLabel: "x (first parameter)",
      yLabel: "y (second parameter)",
      options: { color: contourColours(surface.contours) },
      marks: (frame) => [
        contours(frame, (x, y) => surface.loss(x, y), surface.contours),
        ...landmarks(surface.start, surface.minimum),
        ...runs.flatMap(({ rule: { label, colour }, visits, width }) => curve(frame, visits, { label, colour, width })),
        ...landmarkNames(surface.start, surface.minimum),
      ],
      names: namesOf(runs, key),
      landmarks: landmarksOf(surface.start, surface.minimum),
    });
    const heads = runs.map(({ rule, visits }, k) => {
      const track = trackOf(
        visits.map(toPixel).map(({ x, y }) => [x, y] as const),
        steps,
      );
      const path = drawn.querySelector(`path[aria-label="curve: ${rule.label}"]`)!;
      const attributes = { d: track.d, ...reveal(`p${i}${k}`, track, times, animation) };
      for (const [name, value] of Object.entries(attributes)) path.setAttribute(name, value);
      const { x, y } = track.frames[track.frames.length - 1];
      return element("circle", {
        ...{ r: 5, fill: rule.colour, stroke: inks.paper, "stroke-width": 1.2, transform: `translate(${x},${y})` },
        style: animation.add(`h${i}${k}`, moves(times, track.frames, animation.seconds)),
      });
    });
    drawn.append(...heads);
    return drawn;
  });
  const bar = element("svg", { width: WIDTH - 16, height: 44, "font-size": 12 });
  bar.append(...clock({ left: 48, right: WIDTH - 38, y: 18, steps: surface.steps, pace, times, animation, inks }));
  return figure({
    title: texts[key].title,
    subtitle: [`f(x, y) = ${surface.formula}; ${surface.steps} steps, the first ones slowly.`, texts[key].seen],
    rows: [panels, [bar]],
    notes,
    css: animation.css,
  });
}

const size = { width: (WIDTH - 16) / 2, height: 380 };
const FRAMES_A_SECOND = 15;
/** Seconds that the end is shown before it begins again. */
const HOLD = 4;
const notes = [
  "Contours: two a decade of f, darker is higher. Exact gradients; options not named here have their defaults.",
  "EMA is SGD whose momentum is a bias-corrected moving average.",
];

/** A rule's way over a surface. */
interface Run {
  readonly rule: FigureRule;
  readonly width: number;
  readonly visits: readonly Visit[];
}

/** The ways of all rules, by family. */
const runsOn = (key: SurfaceKey): Run[][] =>
  families.map((family) =>
    rules
      .filter((rule) => rule.family === family)
      .map((rule, place) => ({
        rule,
        width: widthOf(place),
        visits: descend(surfaces[key], (params) => rule.make(params, rule.lr[key])),
      })),
  );

const namesOf = (runs: readonly Run[], key: SurfaceKey): NamedCurve[] =>
  runs.map(({ rule, visits }) => ({
    look: { ...rule, label: `${rule.label}, lr ${rule.lr[key]}` },
    points: visits,
    marked: true,
  }));

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
