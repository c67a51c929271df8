import { contours, interpolateRgb, range, scaleLinear, symbol, symbolStar } from "d3";
import { LINE, type Placed, placeLabels } from "../playground/surfaces/labels.ts";
import { PACES, secondsFor, stepsAfter } from "../playground/surfaces/pace.ts";
import { type Theme, colours } from "../playground/surfaces/palette.ts";
import { Race } from "../playground/surfaces/race.ts";
import type { Racer } from "../playground/surfaces/racer.ts";
import { FIRST_RULES, type RuleKey, rules } from "../playground/surfaces/rules.ts";
import { Animation, type Place, clock, moves, reveal, trackOf } from "./motion.ts";
import { element, serialize, text } from "./svg.ts";
import { type Inks, inksOf } from "./theme.ts";
import { tidy } from "./tidy.ts";

const WIDTH = 830;
const HEIGHT = 400;
const STAGE = { left: 12, top: 44, width: 590, height: 312 } as const;
const RANKING_X = STAGE.left + STAGE.width + 22;
const GRID = { x: 300, y: 160 };
const LEVELS_A_DECADE = 4;
const FRAMES_A_SECOND = 15;
/** Seconds that the end is shown before the race begins again. */
const HOLD = 4;
const PACE = PACES[4];
/** Widths of letters against the size of the font, about. */
const LETTER = 0.58;
const FONT = 13;

/** One rule of the race as the picture shows it. */
interface Runner {
  readonly rule: RuleKey;
  readonly racer: Racer;
  readonly colour: string;
}

/** An animated picture of the playground's first race, run here; it stands still where people ask for less motion. */
export function race(theme: Theme): string {
  const { run, runners } = runRace(theme);
  const inks = inksOf(theme);
  const last = secondsFor(run.steps, PACE);
  const seconds = last + HOLD;
  const x = scaleLinear(run.surface.domain.x, [STAGE.left, STAGE.left + STAGE.width]);
  const y = scaleLinear(run.surface.domain.y, [STAGE.top + STAGE.height, STAGE.top]);

  const root = element("svg", {
    ...{ width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
    ...{ "font-family": "system-ui, sans-serif", "font-size": FONT, fill: inks.ink },
  });
  const title = element("title", {});
  title.textContent = `${runners.length} optimizers of gradstep race down ${run.surface.title}’s function`;
  const card = { x: 0.5, y: 0.5, width: WIDTH - 1, height: HEIGHT - 1, rx: 10, fill: inks.paper, stroke: inks.rule };
  const clip = element("clipPath", { id: "stage" });
  clip.append(element("rect", { x: STAGE.left, y: STAGE.top, width: STAGE.width, height: STAGE.height, rx: 6 }));
  const stage = element("g", { "clip-path": "url(#stage)" });
  stage.append(...drawGround(run, inks));

  const times = range(0, last, 1 / FRAMES_A_SECOND).concat(last);
  const animation = new Animation(seconds);
  const animate = animation.add;

  const steps = times.map((second) => stepsAfter(second, PACE));
  const tracks = runners.map(({ racer }) => trackOf(pixelsOf(racer, x, y), steps));
  runners.forEach(({ colour, rule }, i) => {
    stage.append(
      element("path", {
        ...{ d: tracks[i].d, fill: "none", stroke: colour, "stroke-width": 2.2, "stroke-linejoin": "round" },
        ...reveal(`p${i}`, tracks[i], times, animation),
        "data-rule": rule,
      }),
    );
  });
  stage.append(...landmarks(run, x, y, inks));

  const placed = placeAll(runners, tracks, times.length);
  runners.forEach(({ racer, rule, colour }, i) => {
    const { frames } = tracks[i];
    const end = secondsFor(racer.steps, PACE);
    const head = element("g", { style: animate(`h${i}`, moves(times, frames, seconds)) });
    head.append(element("circle", { r: 5, fill: colour, stroke: inks.paper, "stroke-width": 1.5 }));
    const name = element("g", {
      style: animate(
        `l${i}`,
        moves(
          times,
          placed[i].map(({ x, y }) => ({ x, y, along: 0 })),
          seconds,
        ),
      ),
    });
    name.append(
      text(rules[rule].label, 0, 0, {
        ...{
          dy: "0.35em",
          fill: colour,
          "font-weight": 600,
          stroke: inks.paper,
          "stroke-width": 3,
          "paint-order": "stroke",
        },
      }),
    );
    // head and name go when the rule has arrived: it stands in the ranking then
    const both = element("g", {
      opacity: 0,
      style: animate(`f${i}`, [
        [0, "opacity:1"],
        [end, "opacity:1"],
        [Math.min(end + 0.6, seconds), "opacity:0"],
        [seconds, "opacity:0"],
      ]),
    });
    both.append(head, name);
    stage.append(both);
  });

  const ranking = run.ranking().map((rule, rank) => {
    const i = runners.findIndex((runner) => runner.rule === rule);
    const { racer, colour } = runners[i];
    const at = secondsFor(racer.steps, PACE);
    const row = element("g", {
      "data-arrival": racer.arrival ?? "",
      style: animate(`r${rank}`, [
        [0, "opacity:0"],
        [at, "opacity:0"],
        [Math.min(at + 0.4, seconds), "opacity:1"],
        [seconds, "opacity:1"],
      ]),
    });
    const top = STAGE.top + 46 + rank * 38;
    row.append(
      text(String(rank + 1), RANKING_X + 10, top, { "text-anchor": "middle", fill: inks.muted }),
      element("circle", { cx: RANKING_X + 30, cy: top - 4.5, r: 5.5, fill: colour }),
      text(rules[rule].label, RANKING_X + 43, top, { "font-weight": 600 }),
      text((racer.arrival ?? racer.steps).toLocaleString("en-GB"), WIDTH - 20, top, {
        ...{ "text-anchor": "end", fill: inks.muted },
      }),
    );
    return row;
  });

  root.append(
    title,
    element("style", {}),
    element("rect", card),
    clip,
    text(`${run.surface.title}’s function: who is first at the star?`, STAGE.left + 4, 29, {
      "font-size": 16,
      "font-weight": 650,
    }),
    stage,
    text("arrived", RANKING_X + 4, STAGE.top + 14, { fill: inks.muted }),
    text("steps", WIDTH - 20, STAGE.top + 14, { "text-anchor": "end", fill: inks.muted }),
    ...ranking,
    ...clock({
      left: STAGE.left,
      right: STAGE.left + STAGE.width,
      y: HEIGHT - 27,
      steps: run.steps,
      pace: PACE,
      times,
      animation,
      inks,
    }),
  );
  tidy(root);
  root.querySelector("style")!.textContent = animation.css;
  return serialize(root);
}

/** The first race of the playground, to its end. */
function runRace(theme: Theme): { run: Race; runners: Runner[] } {
  const run = new Race("rosenbrock");
  run.choose(FIRST_RULES);
  while (!run.over) run.step();
  const runners = [...run.racers].map(([rule, racer], i) => ({ rule, racer, colour: colours[theme][i] }));
  return { run, runners };
}

const pixelsOf = (
  { path }: Racer,
  x: (value: number) => number,
  y: (value: number) => number,
): (readonly [number, number])[] =>
  Array.from({ length: path.length / 2 }, (_, i) => [x(path[2 * i]), y(path[2 * i + 1])] as const);

/** Names for every frame; one that has no place for a moment stays where it was. */
function placeAll(
  runners: readonly Runner[],
  tracks: readonly { readonly frames: readonly Place[] }[],
  count: number,
): Placed[][] {
  const placed: Placed[][] = runners.map(() => []);
  let before = new Map<RuleKey, Placed>();
  for (let frame = 0; frame < count; frame++) {
    const moving = runners.flatMap(({ rule }, i) => {
      const { x, y } = tracks[i].frames[frame];
      const ended = frame > 0 && tracks[i].frames[count - 1].along === tracks[i].frames[frame - 1].along;
      const width = rules[rule].label.length * FONT * LETTER;
      return ended ? [] : [{ key: rule, x: x - STAGE.left, y: y - STAGE.top, width }];
    });
    before = placeLabels(moving, STAGE, before);
    runners.forEach(({ rule }, i) => {
      const now = before.get(rule);
      placed[i].push(
        now === undefined
          ? (placed[i][frame - 1] ?? { x: 0, y: -LINE, slot: 0, far: false })
          : { ...now, x: now.x + STAGE.left, y: now.y + STAGE.top },
      );
    });
  }
  return placed;
}

function drawGround({ surface }: Race, { low, high, contour }: Inks): Element[] {
  const [from, to] = surface.contours;
  const { x, y } = surface.domain;
  const logs = Array.from({ length: GRID.x * GRID.y }, (_, i) => {
    const atX = x[0] + (((i % GRID.x) + 0.5) / GRID.x) * (x[1] - x[0]);
    const atY = y[0] + ((Math.floor(i / GRID.x) + 0.5) / GRID.y) * (y[1] - y[0]);
    return Math.log10(surface.loss(atX, atY) + 1e-9);
  });
  const levels = range(from, to, (to - from) / Math.ceil((to - from) * LEVELS_A_DECADE));
  const shade = interpolateRgb(low, high);
  const group = element("g", { "aria-label": "contour", stroke: contour, "stroke-width": 0.75 });
  for (const { value, coordinates } of contours().size([GRID.x, GRID.y]).thresholds(levels)(logs)) {
    const rings = coordinates.flat().map((ring) => {
      const pixels = ring.map(([gridX, gridY]) =>
        [STAGE.left + (gridX / GRID.x) * STAGE.width, STAGE.top + STAGE.height - (gridY / GRID.y) * STAGE.height].join(
          ",",
        ),
      );
      return `M${pixels.join("L")}Z`;
    });
    group.append(
      element("path", { d: rings.join(""), fill: shade((value - from) / (to - from)), "fill-rule": "evenodd" }),
    );
  }
  const { left, top, width, height } = STAGE;
  return [element("rect", { x: left, y: top, width, height, fill: low }), group];
}

/** The start and the minima, with their names. */
function landmarks(
  { surface, start }: Race,
  x: (value: number) => number,
  y: (value: number) => number,
  { ink, paper }: Inks,
): Element[] {
  const halo = { stroke: paper, "stroke-width": 3, "paint-order": "stroke", "text-anchor": "middle" };
  const ring = { cx: x(start.x), cy: y(start.y), r: 8, fill: "none", stroke: ink, "stroke-width": 2 };
  return [
    element("circle", ring),
    text("start", ring.cx, ring.cy + 25, halo),
    ...surface.minima.map((point) =>
      element("path", {
        ...{ d: symbol(symbolStar, 170)() ?? "", transform: `translate(${x(point.x)} ${y(point.y)})` },
        ...{ fill: ink, stroke: paper, "stroke-width": 1.5 },
      }),
    ),
  ];
}
