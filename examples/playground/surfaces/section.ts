import { copyOnClick } from "../page/copy.ts";
import { byId, fillSelect, setText } from "../page/dom.ts";
import { isDark, onTheme, reducedMotion } from "../page/theme.ts";
import { type RaceSetup, readLink, writeLink } from "./link.ts";
import { MANY, RuleList } from "./list.ts";
import { LossChart } from "./loss-chart.ts";
import { PACES, rateAfter } from "./pace.ts";
import { Places, lookOf } from "./palette.ts";
import { Race } from "./race.ts";
import type { Fate } from "./racer.ts";
import { FIRST_RULES, type RuleKey, ruleKeys, rules } from "./rules.ts";
import { type Entry, Stage } from "./stage.ts";
import { type LandscapeKey, type Point, landscapeKeys, landscapes } from "./surfaces.ts";

/** After a pause of the page a race goes on where it was. */
const LONGEST_FRAME = 0.1;
/** Steps of a frame take no longer. */
const BUDGET_MS = 8;
const STANDINGS_EVERY_MS = 200;
const LINK_AFTER_MS = 300;
/** Parts of the picture that an arrow key moves the start by. */
const NUDGE = 1 / 50;
const SHIFT = 5;

const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** The race: ties the picture, the chart, the list of rules, the controls and the address to it. */
export class RaceSection {
  readonly #setup = readLink(new URLSearchParams(location.search));
  readonly #race = new Race(this.#setup.surface);
  readonly #stage = new Stage();
  readonly #chart = new LossChart();
  readonly #list: RuleList;
  readonly #places = new Places<RuleKey>();
  /** The step up to which a path is drawn. */
  readonly #drawn = new Map<RuleKey, number>();
  readonly #play = byId("play", HTMLButtonElement);
  readonly #stepCount = byId("steps", HTMLElement);
  readonly #status = byId("race-status", HTMLElement);
  readonly #pace = byId("pace", HTMLInputElement);
  readonly #rate = byId("pace-value", HTMLOutputElement);
  #highlight: RuleKey | undefined;
  #playing = false;
  #visible = true;
  #scheduled = false;
  #last = 0;
  #owed = 0;
  #told = 0;
  #linking: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#list = new RuleList(this.#race, {
      choose: (chosen) => this.#choose(chosen),
      tune: (rule, values) => {
        this.#race.tune(rule, values);
        this.#redraw();
      },
      highlight: (rule) => {
        this.#highlight = rule;
        this.#wake();
      },
      lookOf: (rule) => lookOf(this.#places.of(rule), isDark() ? "dark" : "light"),
    });
    const { start, settings, pace, rules } = this.#setup;
    this.#race.setStart(start);
    for (const rule of rules) if (settings[rule] !== undefined) this.#race.tune(rule, settings[rule]);
    this.#pace.max = String(PACES.length - 1);
    this.#pace.value = String(pace);
    this.#wire();
    this.#showPace();
    this.#showSurface();
    this.#prepare();
    this.#choose(rules);
    if (!reducedMotion()) this.#setPlaying(true);
  }

  #wire(): void {
    const select = byId("surface", HTMLSelectElement);
    fillSelect(
      select,
      landscapeKeys.map((key) => [key, landscapes[key].title]),
      this.#race.surfaceKey,
    );
    select.addEventListener("change", () => {
      this.#race.setSurface(select.value as LandscapeKey);
      this.#showSurface();
      this.#list.refresh();
      this.#prepare();
    });
    this.#play.addEventListener("click", () => this.#setPlaying(!this.#playing));
    byId("step", HTMLButtonElement).addEventListener("click", () => {
      this.#setPlaying(false);
      this.#advance(1);
    });
    byId("reset", HTMLButtonElement).addEventListener("click", () => this.#reset());
    this.#pace.addEventListener("input", () => this.#showPace());
    byId("all", HTMLButtonElement).addEventListener("click", () => {
      this.#choose([...this.#race.racers.keys(), ...ruleKeys.filter((rule) => !this.#race.racers.has(rule))]);
      this.#reset();
      this.#setPlaying(true);
    });
    byId("few", HTMLButtonElement).addEventListener("click", () => this.#choose(FIRST_RULES));
    byId("none", HTMLButtonElement).addEventListener("click", () => this.#choose([]));
    copyOnClick(byId("copy-link", HTMLButtonElement), () => {
      this.#writeLink();
      return location.href;
    });

    const { element } = this.#stage;
    element.addEventListener("click", ({ clientX, clientY }) => this.#setStart(this.#stage.pointAt(clientX, clientY)));
    element.addEventListener("keydown", (event) => this.#key(event));
    const readout = byId("readout", HTMLOutputElement);
    element.addEventListener("pointermove", ({ clientX, clientY }) => {
      readout.textContent = this.#valueAt(this.#stage.pointAt(clientX, clientY));
    });
    element.addEventListener("pointerleave", () => (readout.textContent = ""));
    new ResizeObserver(() => this.#prepare()).observe(element);
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.#visible = isIntersecting;
      this.#wake();
    }).observe(byId("race", HTMLElement));
    onTheme(() => {
      this.#list.recolour();
      this.#prepare();
    });
  }

  #choose(chosen: readonly RuleKey[]): void {
    this.#places.assign(chosen);
    this.#race.choose(chosen);
    this.#list.refresh();
    this.#redraw();
  }

  #key(event: KeyboardEvent): void {
    const arrow = arrows[event.key] as readonly [number, number] | undefined;
    if (event.key === " ") this.#setPlaying(!this.#playing);
    else if (arrow !== undefined) {
      const { start, surface } = this.#race;
      const { x, y } = surface.domain;
      const part = NUDGE * (event.shiftKey ? SHIFT : 1);
      const move = (value: number, [low, high]: readonly [number, number], way: number): number =>
        Math.min(high, Math.max(low, value + way * part * (high - low)));
      this.#setStart({ x: move(start.x, x, arrow[0]), y: move(start.y, y, arrow[1]) });
    } else return;
    event.preventDefault();
  }

  #setStart(start: Point): void {
    this.#race.setStart(start);
    this.#redraw();
  }

  #reset(): void {
    this.#race.reset();
    this.#redraw();
  }

  #setPlaying(playing: boolean): void {
    if (playing && this.#race.over) this.#reset();
    this.#playing = playing;
    this.#owed = 0;
    this.#last = performance.now();
    this.#tell();
    this.#wake();
  }

  #showPace(): void {
    const text = `${this.#stepsASecond} steps a second`;
    this.#pace.setAttribute("aria-valuetext", text);
    this.#tell();
    this.#changed();
  }

  #showSurface(): void {
    const { formula, about } = this.#race.surface;
    byId("formula", HTMLElement).textContent = `f(x, y) = ${formula}`;
    byId("about", HTMLElement).textContent = about;
  }

  #valueAt({ x, y }: Point): string {
    const value = this.#race.surface.loss(x, y);
    return `f(${x.toFixed(2)}, ${y.toFixed(2)}) = ${value >= 1000 ? Math.round(value) : value.toPrecision(3)}`;
  }

  /** All that is said of the race: from what it is, so that nothing of a former race stays. */
  #tell(): void {
    const { racers, steps, over } = this.#race;
    setText(this.#play, this.#playing ? "Pause" : over && steps > 0 ? "Play again" : "Play");
    const text =
      racers.size === 0
        ? "Nobody is in the race: add an optimizer."
        : steps === 0
          ? this.#textAtStart()
          : this.#textOnTheWay();
    setText(this.#status, text);
    setText(this.#stepCount, steps.toLocaleString("en-GB"));
    const rate = rateAfter(steps, this.#stepsASecond);
    setText(this.#rate, `${Math.round(rate).toLocaleString("en-GB")} steps/s`);
  }

  /** At first; more later. */
  get #stepsASecond(): number {
    return PACES[Number(this.#pace.value)];
  }

  #textAtStart(): string {
    const { start } = this.#race;
    return `Start: ${this.#valueAt(start)}. Click the picture to start elsewhere.`;
  }

  #textOnTheWay(): string {
    const { racers, over } = this.#race;
    const [first] = this.#race.ranking();
    const count = (which: Fate): number => [...racers.values()].filter(({ fate }) => fate === which).length;
    const [arrived, local] = [count("arrived"), count("local")];
    const { arrival } = racers.get(first)!;
    const winner =
      arrived === 0 ? "" : ` ${rules[first].label} was first, after ${arrival!.toLocaleString("en-GB")} steps.`;
    return `${over ? "Finished. " : ""}Arrived at a star: ${arrived} of ${racers.size}${local > 0 ? `; in a local minimum: ${local}` : ""}.${winner}`;
  }

  /** Everything anew: after a change of size, surface or theme. */
  #prepare(): void {
    this.#stage.prepare(this.#race.surface);
    this.#chart.prepare(this.#race.surface);
    this.#redraw();
  }

  /** All paths anew, and all that is said. */
  #redraw(): void {
    this.#stage.clearPaths();
    this.#chart.clear();
    this.#drawn.clear();
    this.#told = 0;
    this.#tell();
    this.#changed();
    this.#wake();
  }

  /** Writes the race into the address, a moment after it has changed last: browsers limit how often. */
  #changed(): void {
    clearTimeout(this.#linking);
    this.#linking = setTimeout(() => this.#writeLink(), LINK_AFTER_MS);
  }

  #writeLink(): void {
    const url = new URL(location.href);
    const { surfaceKey: surface, start, racers } = this.#race;
    const rules = [...racers.keys()];
    const settings: RaceSetup["settings"] = Object.fromEntries(rules.map((rule) => [rule, this.#race.values(rule)]));
    writeLink({ surface, start, rules, settings, pace: Number(this.#pace.value) }, url.searchParams);
    url.search = url.search.replaceAll("%2C", ",").replaceAll("%3A", ":");
    if (url.href !== location.href) history.replaceState(null, "", url);
  }

  /** Sees to it that a frame is drawn. */
  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame((now) => this.#frame(now));
  }

  #frame(now: number): void {
    this.#scheduled = false;
    if (this.#playing && this.#visible) {
      const passed = Math.min(LONGEST_FRAME, Math.max(0, (now - this.#last) / 1000));
      this.#owed += passed * rateAfter(this.#race.steps, this.#stepsASecond);
      const steps = Math.floor(this.#owed);
      this.#owed -= steps;
      this.#advance(steps);
    }
    this.#last = now;
    this.#draw(now);
  }

  #advance(steps: number): void {
    const started = performance.now();
    for (let i = 0; i < steps && !this.#race.over; i++) {
      this.#race.step();
      if (performance.now() - started > BUDGET_MS) break;
    }
    if (this.#race.over && this.#playing) this.#setPlaying(false);
    this.#wake();
  }

  #draw(now: number): void {
    const { racers } = this.#race;
    const theme = isDark() ? "dark" : "light";
    const entries = new Map<RuleKey, Entry>();
    for (const [rule, racer] of racers)
      entries.set(rule, { racer, name: rules[rule].label, look: lookOf(this.#places.of(rule), theme) });
    for (const [rule, entry] of entries) {
      const from = this.#drawn.get(rule) ?? 0;
      if (entry.racer.steps > from) this.#stage.extend(entry, from);
      this.#drawn.set(rule, entry.racer.steps);
    }
    const chosen = this.#highlight === undefined ? undefined : racers.get(this.#highlight);
    const named = [...entries.values()].filter(
      ({ racer }) => racers.size < MANY || racer.fate !== "arrived" || racer === chosen,
    );
    this.#stage.drawHeads(named, this.#race.start, chosen);
    if (this.#playing && now - this.#told < STANDINGS_EVERY_MS) return;
    this.#told = now;
    this.#chart.draw(this.#race.steps, [...entries.values()]);
    this.#list.refreshStandings();
    this.#tell();
  }
}
