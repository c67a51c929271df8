// What the user reads: a progress bar for each part of the run on a terminal, lines elsewhere, nothing beside `--json`.
import { startBar, stopBar, updateBar } from "../command/bar.ts";
import type { Leg, Watcher } from "./train.ts";

export interface Report {
  line(text: string): void;
  /** Writes a part of a line. */
  text(text: string): void;
  /** Watches a run of `steps`, each of so many tokens. */
  watch(steps: number, tokens: number): Watcher;
}

export const counted = (count: number, noun: string): string => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
export const grouped = (value: number): string => value.toLocaleString("en-US");
/** Four places, and no column of digits for a run that has lost its way. */
export const lossText = (loss: number): string => (Math.abs(loss) < 1e4 ? loss.toFixed(4) : loss.toExponential(2));
const speedText = (tokensPerSecond: number): string => `${grouped(tokensPerSecond)} tokens/s`;

export function timeText(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return `${Math.ceil(seconds / 60)} min`;
}

const figures = ({ loss, validation, tokensPerSecond }: Leg): string[] => [
  `loss ${lossText(loss)}`,
  `validation ${lossText(validation)}`,
  speedText(tokensPerSecond),
];
const left = (steps: number, tokensPerSecond: number): string =>
  steps > 0 && Number.isFinite(tokensPerSecond) ? `${timeText(steps / tokensPerSecond)} left` : "";

const nothing = (): void => undefined;
export const silent: Report = {
  line: nothing,
  text: nothing,
  watch: () => ({ live: false, begin: nothing, update: nothing, end: nothing }),
};

const line = (text: string): void => console.log(text);
const text = (text: string): void => void process.stdout.write(text);

export const lines: Report = {
  line,
  text,
  watch: (steps, tokens) => ({
    live: false,
    begin: nothing,
    update: nothing,
    end(leg) {
      const rest = left((steps - leg.step) * tokens, leg.tokensPerSecond);
      line([`step ${leg.step}/${steps}`, ...figures(leg), rest].join("  ").trimEnd());
    },
  }),
};

const widest = [...figures({ step: 0, loss: 1, validation: 1, tokensPerSecond: 10_000 }), ""];

export const terminal: Report = {
  line,
  text,
  watch(steps, tokens) {
    let first = 0;
    return {
      live: true,
      begin(done, end) {
        first = done;
        startBar(`step ${end}/${steps}`, end - done, widest);
      },
      update(done, loss, tokensPerSecond) {
        const rest = left((steps - done) * tokens, tokensPerSecond);
        updateBar(done - first, [`loss ${lossText(loss)}`, speedText(tokensPerSecond), rest]);
      },
      end: (leg) => stopBar(figures(leg)),
    };
  },
};
