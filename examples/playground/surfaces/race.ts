import { Arena } from "gradstep";
import { type Knob, optionsOf, rate } from "./knobs.ts";
import { type Fate, Racer } from "./racer.ts";
import { rates } from "./rates.ts";
import { type RuleKey, ruleKeys, rules } from "./rules.ts";
import { type Landscape, type LandscapeKey, type Point, landscapes } from "./surfaces.ts";

/** A race ends here. */
export const MOST_STEPS = 10_000;
const ARENA_BYTES = 4 * 2 ** 20;

/** The knobs of a rule on a surface: its learning rate, then its own. */
export const knobsOf = (rule: RuleKey, surface: LandscapeKey): readonly Knob[] => [
  rate(rates[rule][surface]),
  ...rules[rule].knobs,
];

/** Rules on their way down one surface, all at the same number of steps. */
export class Race {
  readonly #arena = new Arena({ capacity: ARENA_BYTES });
  readonly #racers = new Map<RuleKey, Racer>();
  /** Values by knob, the learning rate first. */
  readonly #values = new Map<RuleKey, number[]>();
  #surface: LandscapeKey;
  #start: Point;
  #steps = 0;

  constructor(surface: LandscapeKey) {
    this.#surface = surface;
    this.#start = landscapes[surface].start;
    for (const rule of ruleKeys) this.#values.set(rule, this.defaults(rule));
  }

  get surface(): Landscape {
    return landscapes[this.#surface];
  }

  get start(): Point {
    return this.#start;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Who takes part, in the order in which they were chosen. */
  get racers(): ReadonlyMap<RuleKey, Racer> {
    return this.#racers;
  }

  /** Whether nobody will go any further. */
  get over(): boolean {
    if (this.#steps >= MOST_STEPS) return true;
    for (const { fate } of this.#racers.values()) if (fate === "running") return false;
    return true;
  }

  /** Who takes part, the best first: by arrival, then local minima by their loss, then by the loss so far. */
  ranking(): RuleKey[] {
    const group: Readonly<Record<Fate, number>> = { arrived: 0, local: 1, running: 2, stalled: 2, diverged: 3 };
    const measure = ({ fate, arrival, loss }: Racer): number => (fate === "arrived" ? arrival! : loss);
    return [...this.#racers]
      .sort(([, a], [, b]) => group[a.fate] - group[b.fate] || measure(a) - measure(b))
      .map(([rule]) => rule);
  }

  knobs(rule: RuleKey): readonly Knob[] {
    return knobsOf(rule, this.#surface);
  }

  values(rule: RuleKey): readonly number[] {
    return this.#values.get(rule)!;
  }

  defaults(rule: RuleKey): number[] {
    return this.knobs(rule).map(({ start }) => start);
  }

  get surfaceKey(): LandscapeKey {
    return this.#surface;
  }

  /** Goes to another surface, with its own start and learning rates, at step 0. */
  setSurface(surface: LandscapeKey): void {
    this.#surface = surface;
    for (const rule of ruleKeys) this.#values.get(rule)![0] = rates[rule][surface];
    this.setStart(this.surface.start);
  }

  /** Sets off again from another point. */
  setStart(start: Point): void {
    this.#start = start;
    this.reset();
  }

  /** Everyone back to the start. */
  reset(): void {
    this.#steps = 0;
    this.choose([...this.#racers.keys()], true);
  }

  /** Says who takes part; newcomers catch up with the others. */
  choose(chosen: readonly RuleKey[], anew = false): void {
    for (const [rule, racer] of this.#racers) {
      if (!anew && chosen.includes(rule)) continue;
      racer.dispose();
      this.#racers.delete(rule);
    }
    const before = new Map(this.#racers);
    this.#racers.clear();
    for (const rule of chosen) this.#racers.set(rule, before.get(rule) ?? this.#caughtUp(rule));
  }

  /** Other hyper-parameters for a rule, which then stands where they would have taken it. */
  tune(rule: RuleKey, values: readonly number[]): void {
    this.#values.set(rule, [...values]);
    const racer = this.#racers.get(rule);
    if (racer === undefined) return;
    racer.dispose();
    this.#racers.set(rule, this.#caughtUp(rule));
  }

  /** One step of every rule. */
  step(): void {
    this.#steps++;
    for (const racer of this.#racers.values()) racer.step();
  }

  #caughtUp(rule: RuleKey): Racer {
    const options = optionsOf(this.knobs(rule), this.values(rule));
    const racer = new Racer(this.#arena, this.surface, rules[rule], options, this.#start);
    for (let i = 0; i < this.#steps && racer.fate === "running"; i++) racer.step();
    return racer;
  }
}
