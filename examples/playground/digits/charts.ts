import uPlot from "uplot";
import { byId } from "../page/dom.ts";
import { colour, onTheme } from "../page/theme.ts";

const HEIGHT = 180;
/** Distances of ticks. */
const TICKS = [1, 10, 100, 1000, 10_000, 100_000, 1e6].flatMap((power) => [power, 2 * power, 5 * power]);
/** uPlot.Scale.Distr.Logarithmic, which exists in types alone. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const LOGARITHMIC = 3 as uPlot.Scale.Distr;

/** How a curve is shown. */
interface Look {
  /** The id of its element. */
  readonly id: string;
  readonly label: string;
  /** The custom property that has its colour. */
  readonly stroke: string;
  readonly scale: uPlot.Scale;
  readonly format: (value: number) => string;
}

const looks: Record<"loss" | "accuracy", Look> = {
  loss: {
    ...{ id: "loss-chart", label: "loss", stroke: "--loss" },
    scale: { distr: LOGARITHMIC, log: 10 },
    format: (value) => String(Number(value.toPrecision(2))),
  },
  accuracy: {
    ...{ id: "accuracy-chart", label: "accuracy", stroke: "--accuracy" },
    scale: { range: (_, low) => [Math.max(0, Math.floor((Number.isFinite(low) ? low : 0.9) * 20 - 0.5) / 20), 1] },
    format: (value) => `${Number((value * 100).toFixed(1))}%`,
  },
};

/** A curve over epochs that grows while a network learns. */
export class Curve {
  readonly #look: Look;
  readonly #host: HTMLElement;
  #plot: uPlot;
  #epochs: number[] = [];
  #values: number[] = [];

  constructor(what: keyof typeof looks) {
    this.#look = looks[what];
    this.#host = byId(this.#look.id, HTMLElement);
    this.#plot = this.#make();
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(this.#host);
    onTheme(() => {
      this.#plot.destroy();
      this.#plot = this.#make();
    });
  }

  /** Points so far. */
  get length(): number {
    return this.#values.length;
  }

  add(epochs: number, value: number): void {
    this.addAll([[epochs, value]]);
  }

  /** Adds points, drawn at once. */
  addAll(points: readonly (readonly [epochs: number, value: number])[]): void {
    for (const [epochs, value] of points) {
      this.#epochs.push(epochs);
      this.#values.push(value);
    }
    this.#plot.setData([this.#epochs, this.#values]);
  }

  clear(): void {
    this.#epochs = [];
    this.#values = [];
    this.#plot.setData([this.#epochs, this.#values]);
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(120, this.#host.clientWidth), height: HEIGHT };
  }

  #make(): uPlot {
    const { label, stroke, scale, format } = this.#look;
    const [ink, rule] = [colour("--muted"), colour("--rule")];
    const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1, size: 4 } };
    return new uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { show: true } },
        scales: {
          x: { time: false, range: (_, __, high) => [0, Math.max(1, Math.ceil(Number.isFinite(high) ? high : 1))] },
          y: scale,
        },
        axes: [
          { ...axis, size: 28, gap: 2, space: 40, incrs: TICKS },
          {
            ...axis,
            size: 46,
            gap: 2,
            values: (_, ticks) => ticks.map((tick) => ((tick as number | null) === null ? "" : format(tick))),
          },
        ],
        series: [{ label: "epochs" }, { label, stroke: colour(stroke), width: 2, points: { show: false } }],
      },
      [this.#epochs, this.#values],
      this.#host,
    );
  }
}
