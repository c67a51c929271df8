import { byId, fillSelect } from "../page/dom.ts";
import { isDark, onTheme, reducedMotion } from "../page/theme.ts";
import { RuleList } from "./list.ts";
import { lookOf } from "./palette.ts";
import { MOST_STEPS, Race } from "./race.ts";
import { FIRST_RULES, type RuleKey, ruleKeys } from "./rules.ts";
import { Stage } from "./stage.ts";
import { type LandscapeKey, type Point, landscapeKeys, landscapes } from "./surfaces.ts";

/** Steps a second. */
const PACES = [4, 15, 30, 60, 120, 240, 480, 960];
/** After a pause of the page a race goes on where it was. */
const LONGEST_FRAME = 0.1;
const LOSSES_EVERY_MS = 100;
/** Parts of the picture that an arrow key moves the start by. */
const NUDGE = 1 / 50;
const SHIFT = 5;

const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** The races: ties the picture, the list of rules and the controls to a race. */
export class Surfaces {
  readonly #race = new Race("rosenbrock");
  readonly #stage = new Stage();
  readonly #list: RuleList;
  readonly #colours = new Map<RuleKey, string>();
  /** The step up to which a path is drawn. */
  readonly #drawn = new Map<RuleKey, number>();
  readonly #play = byId("play", HTMLButtonElement);
  readonly #stepCount = byId("steps", HTMLElement);
  readonly #pace = byId("pace", HTMLInputElement);
  #highlight: RuleKey | undefined;
  #playing = false;
  #visible = true;
  #scheduled = false;
  #last = 0;
  #owed = 0;
  #told = 0;

  constructor() {
    this.#recolour();
    this.#list = new RuleList(this.#race, {
      choose: (chosen) => {
        this.#race.choose(chosen);
        this.#redraw();
      },
      tune: (rule, values) => {
        this.#race.tune(rule, values);
        this.#redraw();
      },
      highlight: (rule) => {
        this.#highlight = rule;
        this.#wake();
      },
    });
    this.#wire();
    this.#showPace();
    this.#showSurface();
    this.#list.choose(FIRST_RULES);
    if (!reducedMotion()) this.#setPlaying(true);
  }

  #wire(): void {
    const select = byId("surface", HTMLSelectElement);
    fillSelect(
      select,
      landscapeKeys.map((key) => [key, landscapes[key].title]),
      "rosenbrock",
    );
    select.addEventListener("change", () => {
      this.#race.setSurface(select.value as LandscapeKey);
      this.#showSurface();
      this.#list.refreshSettings();
      this.#prepare();
    });
    this.#play.addEventListener("click", () => this.#setPlaying(!this.#playing));
    byId("step", HTMLButtonElement).addEventListener("click", () => {
      this.#setPlaying(false);
      this.#advance(1);
    });
    byId("reset", HTMLButtonElement).addEventListener("click", () => {
      this.#race.reset();
      this.#redraw();
    });
    this.#pace.addEventListener("input", () => this.#showPace());
    byId("all", HTMLButtonElement).addEventListener("click", () => this.#list.choose(ruleKeys));
    byId("few", HTMLButtonElement).addEventListener("click", () => this.#list.choose(FIRST_RULES));
    byId("none", HTMLButtonElement).addEventListener("click", () => this.#list.choose([]));

    const { element } = this.#stage;
    element.addEventListener("click", ({ clientX, clientY }) => this.#setStart(this.#stage.pointAt(clientX, clientY)));
    element.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#prepare()).observe(element);
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.#visible = isIntersecting;
      this.#wake();
    }).observe(element);
    onTheme(() => {
      this.#recolour();
      this.#list.recolour();
      this.#prepare();
    });
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
    this.#announce(`Start at x ${start.x.toFixed(2)}, y ${start.y.toFixed(2)}.`);
  }

  #setPlaying(playing: boolean): void {
    if (playing && this.#race.steps >= MOST_STEPS) {
      this.#race.reset();
      this.#redraw();
    }
    this.#playing = playing;
    this.#play.textContent = playing ? "Pause" : "Play";
    this.#owed = 0;
    this.#last = performance.now();
    this.#wake();
  }

  #showPace(): void {
    const text = `${PACES[Number(this.#pace.value)]} steps/s`;
    byId("pace-value", HTMLOutputElement).textContent = text;
    this.#pace.setAttribute("aria-valuetext", text);
  }

  #showSurface(): void {
    byId("formula", HTMLElement).textContent = `f(x, y) = ${this.#race.surface.formula}`;
  }

  #announce(text: string): void {
    byId("race-status", HTMLElement).textContent = text;
  }

  #recolour(): void {
    for (const rule of ruleKeys)
      this.#colours.set(rule, lookOf(ruleKeys.indexOf(rule), isDark() ? "dark" : "light").colour);
  }

  /** Everything anew: after a change of size, surface or theme. */
  #prepare(): void {
    this.#stage.prepare(this.#race.surface);
    this.#redraw();
  }

  /** All paths anew. */
  #redraw(): void {
    this.#stage.clearPaths();
    this.#drawn.clear();
    this.#told = 0;
    this.#wake();
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
      this.#owed += Math.min(LONGEST_FRAME, Math.max(0, (now - this.#last) / 1000)) * PACES[Number(this.#pace.value)];
      const steps = Math.floor(this.#owed);
      this.#owed -= steps;
      this.#advance(steps);
      this.#wake();
    }
    this.#last = now;
    this.#draw(now);
  }

  #advance(steps: number): void {
    for (let i = 0; i < steps && this.#race.steps < MOST_STEPS; i++) this.#race.step();
    if (this.#race.steps >= MOST_STEPS && this.#playing) {
      this.#setPlaying(false);
      this.#announce(`Paused after ${MOST_STEPS.toLocaleString("en-GB")} steps.`);
    }
    this.#wake();
  }

  #draw(now: number): void {
    const heads = [...this.#race.racers].map(([rule, racer]) => ({ rule, racer, colour: this.#colours.get(rule)! }));
    for (const { rule, racer, colour } of heads) {
      const from = this.#drawn.get(rule) ?? 0;
      if (racer.steps > from) this.#stage.extend(racer, colour, from);
      this.#drawn.set(rule, racer.steps);
    }
    const highlight = this.#highlight === undefined ? undefined : this.#race.racers.get(this.#highlight);
    this.#stage.drawHeads(heads, this.#race.start, highlight);
    if (this.#playing && now - this.#told < LOSSES_EVERY_MS) return;
    this.#told = now;
    this.#stepCount.textContent = this.#race.steps.toLocaleString("en-GB");
    this.#list.refreshLosses();
  }
}
