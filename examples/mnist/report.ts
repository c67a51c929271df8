import { SingleBar } from "cli-progress";
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

/** The widest and the narrowest bar. */
const BAR = { most: 32, least: 8 };

/** Title, bar and figures on one line, the last column left free: where it is too narrow, figures go first, then the bar. */
function format(title: string, parts: readonly string[], progress: number, columns: number): string {
  const percent = `${Math.floor(progress * 100)}%`.padStart(4);
  for (let count = parts.length; ; count--) {
    const tail = [percent, ...parts.slice(0, count)].join("  ");
    const room = Math.min(BAR.most, columns - title.length - tail.length - 3);
    if (room < BAR.least && count > 0) continue;
    const done = Math.floor(progress * Math.max(room, 0));
    return `${title} ${"█".repeat(done)}${"░".repeat(Math.max(room, 0) - done)} ${tail}`;
  }
}

/** As wide as figures are, so that the bar keeps its width. */
const unknown = figures({ loss: 1, accuracy: 1, samplesPerSecond: 10_000 }).map((text) => " ".repeat(text.length));

let running: SingleBar | undefined;

export const terminal: Report = {
  line,
  watch: (title, epochs, last) => ({
    live: true,
    begin(epoch, samples) {
      running = new SingleBar({
        stream: process.stdout,
        hideCursor: true,
        clearOnComplete: last && epoch < epochs,
        format: (_, { progress, maxWidth }, { parts }: { parts: string[] }) =>
          format(`${title}epoch ${epoch}/${epochs}`, parts, progress, maxWidth),
      });
      running.start(samples, 0, { parts: unknown });
    },
    update(seen, loss, accuracy, samplesPerSecond) {
      running?.update(seen, { parts: figures({ loss, accuracy, samplesPerSecond }) });
    },
    end(result) {
      running?.update(running.getTotal(), { parts: figures(result) });
      running?.stop();
      running = undefined;
    },
  }),
};

/** The bar hides the cursor and turns line wrapping off: undone however the process ends. */
export function restoreTerminal(): void {
  process.on("exit", () => running?.stop());
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
}
