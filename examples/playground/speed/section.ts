import { byId, make } from "../page/dom.ts";
import { drawBars } from "./chart.ts";
import { type Outcome, ROUNDS, SIZES } from "./contest.ts";
import type { Told } from "./worker.ts";

/** The contest of gradstep and a JavaScript loop, in a worker so that the page stays quick. */
export class SpeedSection {
  readonly #button = byId("measure", HTMLButtonElement);
  readonly #chart = byId("speed-chart", HTMLElement);
  readonly #table = byId("speed-table", HTMLTableElement);
  #outcomes: Outcome[] = [];

  constructor() {
    byId("rounds", HTMLElement).textContent = String(ROUNDS);
    this.#button.addEventListener("click", () => this.#measure());
    new ResizeObserver(() => {
      if (this.#outcomes.length > 0) drawBars(this.#chart, this.#outcomes);
    }).observe(this.#chart);
  }

  #measure(): void {
    this.#button.disabled = true;
    this.#outcomes = [];
    this.#say("Measuring… Keep this tab in front, with nothing else running.");
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const end = (text: string): void => {
      worker.terminate();
      this.#button.disabled = false;
      this.#say(text);
    };
    worker.addEventListener("error", ({ message }) => end(`The worker failed: ${message}`));
    worker.addEventListener("message", ({ data }: MessageEvent<Told>) => {
      if (data.kind === "failed") {
        end(`That failed: ${data.message}`);
        return;
      }
      this.#outcomes.push(data.outcome);
      this.#show();
      if (this.#outcomes.length < SIZES.length) return;
      const ratios = this.#outcomes.map(({ ratio }) => ratio);
      end(
        `gradstep is ${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)} times as fast as the loop here${threadsText(this.#outcomes)}.`,
      );
    });
    worker.postMessage("go");
  }

  #show(): void {
    drawBars(this.#chart, this.#outcomes);
    this.#table.hidden = false;
    this.#table.tBodies[0].replaceChildren(
      ...this.#outcomes.map(({ size, gradstep, loop, ratio }) =>
        make(
          "tr",
          {},
          make("th", { scope: "row" }, size.toLocaleString("en-GB")),
          make("td", {}, gradstep.toFixed(2)),
          make("td", {}, loop.toFixed(2)),
          make("td", {}, `${ratio.toFixed(1)}×`),
        ),
      ),
    );
  }

  #say(text: string): void {
    byId("speed-status", HTMLElement).textContent = text;
  }
}

/** How fast it is on several threads, where it was measured. */
function threadsText(outcomes: readonly Outcome[]): string {
  const all = outcomes.flatMap(({ threads }) => threads ?? []);
  if (all.length === 0) return "";
  return `, and up to ${Math.max(...all.map(({ ratio }) => ratio)).toFixed(1)} on ${all[0].count} threads`;
}
