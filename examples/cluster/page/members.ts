// The list of those who take part: what each does, and a button to kill or start it.
import { byId, make, setText } from "../../playground/page/dom.ts";
import type { PartState, State } from "../state.ts";
import type { Tab } from "./tab.ts";

/** One that has had no part in a round for so long, milliseconds, is idle. */
const IDLE = 3000;

interface Row {
  readonly item: HTMLLIElement;
  readonly about: HTMLElement;
  readonly button: HTMLButtonElement;
}

export class Members {
  readonly #list = byId("parts", HTMLUListElement);
  readonly #rows = new Map<string, Row>();
  #state: State | undefined;

  constructor(
    readonly tab: Tab,
    readonly toggle: (name: string) => void,
  ) {}

  show(state: State): void {
    this.#state = state;
    const { parts, workers } = state;
    for (const part of parts) this.#showPart(part);
    const status = this.tab.isRunning ? "running" : this.tab.text === "killed" ? "killed" : "failed";
    this.#fill(this.tab.name, "this tab", status, this.tab.text || this.#work(this.tab.name), () => {
      this.tab.toggle();
      if (this.#state !== undefined) {
        this.tab.follow(this.#state);
        this.show(this.#state);
      }
    });
    const known = new Set([...parts.map(({ name }) => name), this.tab.name]);
    for (const name of Object.keys(workers)) if (!known.has(name)) this.#fill(name, name, "running", this.#work(name));
    for (const [name, { item }] of this.#rows) {
      if (known.has(name) || name in workers) continue;
      item.remove();
      this.#rows.delete(name);
    }
  }

  #showPart({ name, role, status }: PartState): void {
    const does = { server: "carries messages", coordinator: "steps the network", worker: this.#work(name) }[role];
    const text = status === "running" ? does : status === "killed" ? "killed" : status === "done" ? "done" : "failed";
    this.#fill(name, role === "server" ? "NATS server" : name, status, text, () => this.toggle(name));
  }

  /** What a worker has done. */
  #work(name: string): string {
    const { workers, now } = this.#state!;
    if (!(name in workers)) return "ready";
    const { rounds, last } = workers[name];
    const text = `part of ${rounds.toLocaleString("en-GB")} ${rounds === 1 ? "round" : "rounds"}`;
    return now - last > IDLE ? `${text}, idle` : text;
  }

  #fill(name: string, label: string, status: PartState["status"], text: string, toggle?: () => void): void {
    let row = this.#rows.get(name);
    if (row === undefined) {
      const about = make("span", { class: "about" });
      const button = make("button", { type: "button" });
      const item = make(
        "li",
        {},
        make("span", { class: "dot" }),
        make("span", { class: "name" }, label),
        about,
        button,
      );
      if (toggle !== undefined) button.addEventListener("click", toggle);
      row = { item, about, button };
      this.#rows.set(name, row);
      this.#list.append(item);
    }
    const { item, about, button } = row;
    const isRunning = status === "running";
    button.hidden = toggle === undefined || this.#state?.result !== undefined;
    setText(about, text);
    setText(button, isRunning ? "Kill" : "Start");
    button.setAttribute("aria-label", `${isRunning ? "Kill" : "Start"} ${label}`);
    item.classList.toggle("working", isRunning && !/idle|ready|done|waiting|fetching/.test(text));
    item.classList.toggle("gone", status === "killed" || status === "failed");
  }
}
