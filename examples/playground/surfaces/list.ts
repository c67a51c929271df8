import { byId, make, setText } from "../page/dom.ts";
import { makeSlider } from "../page/slider.ts";
import { show } from "./knobs.ts";
import type { PathLook } from "./palette.ts";
import type { Race } from "./race.ts";
import type { Racer } from "./racer.ts";
import { type RuleKey, ruleKeys, rules } from "./rules.ts";

/** What the list asks of its race. */
export interface ListEvents {
  choose(chosen: readonly RuleKey[]): void;
  tune(rule: RuleKey, values: readonly number[]): void;
  /** A rule to show above all others, or none. */
  highlight(rule: RuleKey | undefined): void;
  lookOf(rule: RuleKey): PathLook;
}

interface Row {
  readonly item: HTMLLIElement;
  readonly rank: HTMLElement;
  readonly swatch: HTMLCanvasElement;
  readonly standing: HTMLElement;
  readonly settings: HTMLButtonElement;
  readonly sliders: HTMLElement;
}

/** From so many rules on, the list has two columns where there is room, and names at the star are left out. */
export const MANY = 13;
const SWATCH = { width: 26, height: 12 };
const fates = { local: "local min.", stalled: "no progress", diverged: "diverged" } as const;

/** The rules: first those in the race, the best on top, with their hyper-parameters; then those that can be added. */
export class RuleList {
  readonly #race: Race;
  readonly #events: ListEvents;
  readonly #list = byId("rules", HTMLOListElement);
  readonly #others = byId("others", HTMLUListElement);
  readonly #rows = new Map<RuleKey, Row>();

  constructor(race: Race, events: ListEvents) {
    this.#race = race;
    this.#events = events;
  }

  /** Shows who is in the race now. */
  refresh(): void {
    const { racers } = this.#race;
    for (const [rule, { item }] of this.#rows) {
      if (racers.has(rule)) continue;
      item.remove();
      this.#rows.delete(rule);
    }
    for (const rule of racers.keys()) {
      const row = this.#rows.get(rule) ?? this.#makeRow(rule);
      this.#rows.set(rule, row);
      this.#label(rule, row);
      if (!row.sliders.hidden) this.#fill(rule, row);
    }
    this.#list.classList.toggle("many", racers.size >= MANY);
    const others = ruleKeys.filter((rule) => !racers.has(rule));
    this.#others.replaceChildren(...others.map((rule) => this.#makeChip(rule)));
    this.#others.parentElement!.hidden = others.length === 0;
    this.recolour();
    this.refreshStandings();
  }

  /** After a change of the system's theme. */
  recolour(): void {
    for (const [rule, { swatch }] of this.#rows) drawSwatch(swatch, this.#events.lookOf(rule));
  }

  /** How everyone stands: first those who have arrived; the others are ranked at the end, so that rows keep still. */
  refreshStandings(): void {
    const { steps, racers, over } = this.#race;
    const ranking = this.#race.ranking();
    const arrived = ranking.filter((rule) => racers.get(rule)!.fate === "arrived");
    const others = [...racers.keys()].filter((rule) => racers.get(rule)!.fate !== "arrived");
    const order = steps > 0 && over ? ranking : [...arrived, ...others];
    order.forEach((rule, place) => {
      const racer = racers.get(rule)!;
      const { item, rank, standing } = this.#rows.get(rule)!;
      setText(rank, racer.fate === "arrived" ? `${place + 1}.` : "");
      setText(standing, standingOf(racer));
      item.classList.toggle("best", rule === ranking[0] && steps > 0 && racer.fate !== "diverged");
    });
    this.#sort(order);
  }

  /** Moves rows without taking the focus from what is in them. */
  #sort(ranking: readonly RuleKey[]): void {
    const focused = document.activeElement;
    let moved = false;
    for (const [place, rule] of ranking.entries()) {
      const { item } = this.#rows.get(rule)!;
      if (this.#list.children.item(place) === item) continue;
      this.#list.insertBefore(item, this.#list.children.item(place));
      moved = true;
    }
    if (moved && focused instanceof HTMLElement && this.#list.contains(focused)) focused.focus({ preventScroll: true });
  }

  #makeRow(rule: RuleKey): Row {
    const { label } = rules[rule];
    const rank = make("span", { class: "rank" });
    const swatch = make("canvas", { class: "swatch", "aria-hidden": "true" });
    const standing = make("span", { class: "standing" });
    const settings = make("button", { type: "button", class: "settings", "aria-expanded": "false" });
    settings.setAttribute("aria-controls", `knobs-${rule}`);
    const leave = this.#makeLeave(rule, "×", "leave");
    const sliders = make("div", { class: "knobs", id: `knobs-${rule}`, role: "group", "aria-label": label });
    sliders.hidden = true;
    // a long name may be broken before its last part
    const parts = label.split(/(?=(?:AdamW|SGD)$)/).flatMap((part, i) => (i === 0 ? [part] : [make("wbr"), part]));
    const name = make("span", { class: "name" }, ...parts);
    const item = make("li", { "data-rule": rule }, rank, swatch, name, standing, settings, leave, sliders);
    const row = { item, rank, swatch, standing, settings, sliders };

    settings.addEventListener("click", () => {
      sliders.hidden = !sliders.hidden;
      settings.setAttribute("aria-expanded", String(!sliders.hidden));
      if (!sliders.hidden) this.#fill(rule, row);
    });
    for (const on of ["pointerenter", "focusin"]) item.addEventListener(on, () => this.#events.highlight(rule));
    for (const off of ["pointerleave", "focusout"]) item.addEventListener(off, () => this.#events.highlight(undefined));
    return row;
  }

  /** A button that takes a rule out of the race; the focus goes to the row below. */
  #makeLeave(rule: RuleKey, text: string, kind: string): HTMLButtonElement {
    const button = make("button", { type: "button", class: kind, "aria-label": `Take out ${rules[rule].label}` }, text);
    button.addEventListener("click", () => {
      const place = [...this.#list.children].indexOf(this.#rows.get(rule)!.item);
      this.#events.highlight(undefined);
      this.#events.choose([...this.#race.racers.keys()].filter((other) => other !== rule));
      const next = [...this.#list.children].at(place) ?? this.#list.lastElementChild ?? this.#others;
      next.querySelector<HTMLElement>(".settings, .chip")?.focus({ preventScroll: true });
    });
    return button;
  }

  #makeChip(rule: RuleKey): HTMLLIElement {
    const button = make("button", { type: "button", class: "chip", "data-add": rule }, rules[rule].label);
    const item = make("li", {}, button);
    button.addEventListener("click", () => {
      const place = [...this.#others.children].indexOf(item);
      this.#events.choose([...this.#race.racers.keys(), rule]);
      const next = [...this.#others.children].at(place) ?? this.#others.lastElementChild ?? this.#list;
      next.querySelector<HTMLElement>(".chip, .settings")?.focus({ preventScroll: true });
    });
    return item;
  }

  #label(rule: RuleKey, { settings }: Row): void {
    const lr = show(this.#race.values(rule)[0]);
    settings.textContent = `lr ${lr}`;
    settings.setAttribute("aria-label", `lr ${lr}, settings of ${rules[rule].label}`);
  }

  #fill(rule: RuleKey, row: Row): void {
    const values = [...this.#race.values(rule)];
    const defaults = make("button", { type: "button", class: "small" }, "Defaults");
    defaults.addEventListener("click", () => {
      this.#events.tune(rule, this.#race.defaults(rule));
      this.#label(rule, row);
      this.#fill(rule, row);
      row.sliders.querySelector("button")?.focus();
    });
    const sliders = this.#race.knobs(rule).map((knob, i) =>
      makeSlider(knob, values[i], (value) => {
        values[i] = value;
        this.#events.tune(rule, values);
        this.#label(rule, row);
      }),
    );
    row.sliders.replaceChildren(
      ...sliders,
      make("div", { class: "bar" }, defaults, this.#makeLeave(rule, "Take out", "small")),
    );
  }
}

/** What a row says of its rule: the loss on the way, and the steps on arrival. */
function standingOf({ fate, arrival, loss }: Racer): string {
  if (fate === "arrived") return `${arrival!.toLocaleString("en-GB")} steps`;
  return fate === "running" ? `f = ${short(loss)}` : fates[fate];
}

/** A loss in few characters. */
function short(loss: number): string {
  if (loss === 0) return "0";
  return loss >= 0.01 && loss < 10_000 ? loss.toPrecision(3) : loss.toExponential(0);
}

/** A piece of the rule's path. */
function drawSwatch(canvas: HTMLCanvasElement, { colour, dash }: PathLook): void {
  const density = 2;
  canvas.width = SWATCH.width * density;
  canvas.height = SWATCH.height * density;
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.scale(density, density);
  context.strokeStyle = colour;
  context.lineWidth = 4;
  context.setLineDash([...dash]);
  context.beginPath();
  context.moveTo(0, SWATCH.height / 2);
  context.lineTo(SWATCH.width, SWATCH.height / 2);
  context.stroke();
}
