import { byId, make } from "../page/dom.ts";

interface Bar {
  readonly item: HTMLLIElement;
  readonly fill: HTMLElement;
  readonly text: HTMLElement;
}

/** The probabilities of the ten digits, as bars. */
export class Classes {
  readonly #bars: readonly Bar[];
  readonly #guess = byId("guess", HTMLElement);

  constructor() {
    const list = byId("classes", HTMLOListElement);
    this.#bars = Array.from({ length: 10 }, (_, digit) => {
      const fill = make("span", { class: "fill" });
      const text = make("span", { class: "percent" });
      const name = make("span", { class: "digit", "aria-hidden": "true" }, String(digit));
      const item = make("li", {}, name, make("span", { class: "track" }, fill), text);
      list.append(item);
      return { item, fill, text };
    });
    this.clear(false);
  }

  /** Nothing is drawn; `trained` says whether the network has learned anything. */
  clear(trained: boolean): void {
    this.#show(Array.from({ length: 10 }, () => 0));
    this.#guess.textContent = trained ? "Draw a digit, or take a test image." : "Untrained: press Train first.";
  }

  /** Shows a prediction; `label` is what the image is known to be. */
  show(probabilities: readonly number[], trained: boolean, label?: number): void {
    const best = probabilities.indexOf(Math.max(...probabilities));
    this.#show(probabilities, best);
    const truth = label === undefined ? "" : label === best ? ", correctly" : `; it is a ${label}`;
    const text = trained ? `Read as ${best}${truth}.` : `Untrained: it can only guess, and says ${best}.`;
    if (this.#guess.textContent !== text) this.#guess.textContent = text; // said again only when it has changed
    this.#guess.dataset.digit = String(best);
  }

  #show(probabilities: readonly number[], best?: number): void {
    this.#bars.forEach(({ item, fill, text }, digit) => {
      const percent = probabilities[digit] * 100;
      fill.style.width = `${percent}%`;
      text.textContent = `${percent.toFixed(percent > 0 && percent < 10 ? 1 : 0)}%`;
      item.classList.toggle("best", digit === best);
    });
  }
}
