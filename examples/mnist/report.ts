import { startBar, stopBar, updateBar } from "../command/bar.ts";
import type { Epoch, Watcher } from "./train.ts";

/** What the user reads: a progress bar on a terminal, lines elsewhere, nothing beside the object of `--json`. */
export interface Report {
  line(text: string): void;
  /** Watches a run. `last` keeps only the line of the run's last epoch on a terminal. */
  watch(title: string, epochs: number, last: boolean): Watcher;
}

const digits = (value: number): string => value.toFixed(4);
export const grouped = (value: number): string => value.toLocaleString("en-US");
export const accuracyText = digits;
/** Four places, and no column of digits for a run that has lost its way. */
export const lossText = (loss: number): string => (Math.abs(loss) < 1e4 ? digits(loss) : loss.toExponential(2));

const figures = ({ loss, accuracy, samplesPerSecond }: Omit<Epoch, "epoch">): string[] => [
  `loss ${lossText(loss)}`,
  `accuracy ${accuracyText(accuracy)}`,
  `${grouped(samplesPerSecond)} samples/s`,
];
const nothing = (): void => undefined;

export const silent: Report = {
  line: nothing,
  watch: () => ({ live: false, begin: nothing, update: nothing, end: nothing }),
};

const line = (text: string): void => console.log(text);

export const lines: Report = {
  line,
  watch: (title, epochs) => ({
    live: false,
    begin: nothing,
    update: nothing,
    end: (result) => line([`${title}epoch ${result.epoch}/${epochs}`, ...figures(result)].join("  ")),
  }),
};

const widest = figures({ loss: 1, accuracy: 1, samplesPerSecond: 10_000 });

export const terminal: Report = {
  line,
  watch: (title, epochs, last) => ({
    live: true,
    begin(epoch, samples) {
      startBar(`${title}epoch ${epoch}/${epochs}`, samples, widest, last && epoch < epochs);
    },
    update(seen, loss, accuracy, samplesPerSecond) {
      updateBar(seen, figures({ loss, accuracy, samplesPerSecond }));
    },
    end(result) {
      stopBar(figures(result));
    },
  }),
};
