import { byId, make } from "../page/dom.ts";
import { makeSlider } from "../page/slider.ts";
import { show } from "./knobs.ts";
import { isDark } from "../page/theme.ts";
import { lookOf } from "./palette.ts";
import type { Race } from "./race.ts";
import { type RuleKey, ruleKeys, rules } from "./rules.ts";

/** What the list asks of its race. */
export interface ListEvents {
  choose(chosen: readonly RuleKey[]): void;
  tune(rule: RuleKey, values: readonly number[]): void;
  /** A rule to show above all others, or none. */
  highlight(rule: RuleKey | undefined): void;
}

interface Row {
  readonly item: HTMLLIElement;
  readonly box: HTMLInputElement;
  readonly swatch: HTMLElement;
  readonly loss: HTMLElement;
  readonly settings: HTMLButtonElement;
  readonly sliders: HTMLElement;
}

/** The rules: who takes part, how they stand, and their hyper-parameters. */
export class RuleList {
  readonly #race: Race;
  readonly #events: ListEvents;
  readonly #rows = new Map<RuleKey, Row>();

  constructor(race: Race, events: ListEvents) {
    this.#race = race;
    this.#events = events;
    const list = byId("rules", HTMLUListElement);
    for (const rule of ruleKeys) {
      const row = this.#makeRow(rule);
      this.#rows.set(rule, row);
      list.append(row.item);
    }
    this.recolour();
    this.refreshSettings();
  }

  get chosen(): RuleKey[] {
    return ruleKeys.filter((rule) => this.#rows.get(rule)!.box.checked);
  }

  choose(chosen: readonly RuleKey[]): void {
    for (const [rule, { box }] of this.#rows) box.checked = chosen.includes(rule);
    this.#events.choose(this.chosen);
  }

  /** After a change of the system's theme. */
  recolour(): void {
    for (const [rule, { swatch }] of this.#rows)
      swatch.style.background = lookOf(ruleKeys.indexOf(rule), isDark() ? "dark" : "light").colour;
  }

  /** Losses as they are; the lowest stands out. */
  refreshLosses(): void {
    const losses = [...this.#race.racers.values()].map(({ fate, loss }) => (fate === "diverged" ? Infinity : loss));
    const best = Math.min(...losses);
    for (const [rule, { loss, item }] of this.#rows) {
      const racer = this.#race.racers.get(rule);
      loss.textContent = racer === undefined ? "" : racer.fate === "diverged" ? "diverged" : short(racer.loss);
      item.classList.toggle("best", racer !== undefined && this.#race.steps > 0 && racer.loss === best);
    }
  }

  /** Buttons and open sliders, after the race has changed its values. */
  refreshSettings(): void {
    for (const [rule, row] of this.#rows) {
      this.#label(rule, row);
      if (!row.sliders.hidden) this.#fill(rule, row);
    }
  }

  #makeRow(rule: RuleKey): Row {
    const { label } = rules[rule];
    const box = make("input", { type: "checkbox", id: `rule-${rule}` });
    const swatch = make("span", { class: "swatch" });
    const loss = make("span", { class: "loss" });
    const settings = make("button", { type: "button", class: "settings", "aria-expanded": "false" });
    settings.setAttribute("aria-controls", `knobs-${rule}`);
    const sliders = make("div", { class: "knobs", id: `knobs-${rule}`, role: "group", "aria-label": label });
    sliders.hidden = true;
    const name = make("label", { class: "name", for: box.id }, box, swatch, make("span", {}, label));
    const item = make("li", { "data-rule": rule }, name, loss, settings, sliders);
    const row = { item, box, swatch, loss, settings, sliders };

    box.addEventListener("change", () => this.#events.choose(this.chosen));
    settings.addEventListener("click", () => {
      sliders.hidden = !sliders.hidden;
      settings.setAttribute("aria-expanded", String(!sliders.hidden));
      if (!sliders.hidden) this.#fill(rule, row);
    });
    for (const on of ["pointerenter", "focusin"]) item.addEventListener(on, () => this.#events.highlight(rule));
    for (const off of ["pointerleave", "focusout"]) item.addEventListener(off, () => this.#events.highlight(undefined));
    return row;
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
    row.sliders.replaceChildren(...sliders, defaults);
  }
}

/** A loss in few characters. */
function short(loss: number): string {
  if (loss === 0) return "0";
  return loss >= 0.01 && loss < 10_000 ? loss.toPrecision(3) : loss.toExponential(0);
}
