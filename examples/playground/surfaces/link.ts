// A race as the query of an address: ?surface=beale&rules=adam,sgd&adam=lr:0.01,betas.0:0.8&start=1,-0.5&speed=5. What is as it
// is at first is left out, what cannot be read is passed over.
import type { Knob } from "./knobs.ts";
import { FIRST_PACE, PACES } from "./pace.ts";
import { knobsOf } from "./race.ts";
import { FIRST_RULES, type RuleKey, ruleKeys } from "./rules.ts";
import { type LandscapeKey, type Point, landscapeKeys, landscapes } from "./surfaces.ts";

/** What a link holds. */
export interface RaceSetup {
  readonly surface: LandscapeKey;
  readonly start: Point;
  /** Who takes part, in the order of their colours. */
  readonly rules: readonly RuleKey[];
  /** Values by knob, the learning rate first, of rules whose settings are not the first ones. */
  readonly settings: Readonly<Partial<Record<RuleKey, readonly number[]>>>;
  /** The place in `PACES`. */
  readonly pace: number;
}

export const FIRST_SURFACE: LandscapeKey = "rosenbrock";
const DIGITS = 5;

/** Writes a race into the parameters of an address, whose other parameters stay. */
export function writeLink({ surface, start, rules, settings, pace }: RaceSetup, query: URLSearchParams): void {
  for (const name of ["surface", "start", "rules", "speed", ...ruleKeys]) query.delete(name);
  const first = landscapes[surface].start;
  if (surface !== FIRST_SURFACE) query.set("surface", surface);
  if (start.x !== first.x || start.y !== first.y) query.set("start", [start.x, start.y].map(short).join(","));
  if (rules.join() !== FIRST_RULES.join()) query.set("rules", rules.join(","));
  for (const rule of rules) {
    const values = settings[rule];
    const changes = knobsOf(rule, surface).flatMap(({ option, start: from }, i) =>
      values === undefined || values[i] === from ? [] : [`${option}:${values[i]}`],
    );
    if (changes.length > 0) query.set(rule, changes.join(","));
  }
  if (pace !== FIRST_PACE) query.set("speed", String(pace));
}

/** The race that the parameters of an address hold. */
export function readLink(query: URLSearchParams): RaceSetup {
  const named = query.get("surface");
  const surface = landscapeKeys.find((key) => key === named) ?? FIRST_SURFACE;
  const { domain, start: first } = landscapes[surface];
  const [x, y] = (query.get("start") ?? "").split(",").map(numberOf);
  const isInside = within(x, domain.x) && within(y, domain.y);
  const listed = query.get("rules")?.split(",");
  const rules = listed === undefined ? FIRST_RULES : ruleKeys.filter((key) => listed.includes(key));
  const settings: Partial<Record<RuleKey, readonly number[]>> = {};
  for (const rule of rules) {
    const text = query.get(rule);
    if (text !== null) settings[rule] = readSettings(text, knobsOf(rule, surface));
  }
  const pace = numberOf(query.get("speed") ?? "");
  return {
    surface,
    start: isInside ? { x, y } : first,
    rules: listed === undefined ? rules : [...rules].sort((a, b) => listed.indexOf(a) - listed.indexOf(b)),
    settings,
    pace: Number.isInteger(pace) && within(pace, [0, PACES.length - 1]) ? pace : FIRST_PACE,
  };
}

function readSettings(text: string, knobs: readonly Knob[]): number[] {
  const given = new Map(text.split(",").map((part) => part.split(":") as [string, string | undefined]));
  return knobs.map(({ option, min, max, start }) => {
    const value = numberOf(given.get(option) ?? "");
    return within(value, [min, max]) ? value : start;
  });
}

const within = (value: number, [low, high]: readonly [number, number]): boolean => value >= low && value <= high;
const numberOf = (text: string): number => (text.trim() === "" ? NaN : Number(text));
const short = (value: number): string => String(Number(value.toPrecision(DIGITS)));
