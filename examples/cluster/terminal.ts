// The cluster on a terminal: what happens as lines, and below them, where the terminal can, a progress bar and keys.
import { startBar, stopBar, updateBar } from "../command/bar.ts";
import { accuracyText, lossText } from "../mnist/report.ts";
import type { Cluster, View } from "./cluster.ts";
import type { State } from "./state.ts";

/** Between two lines of rounds, milliseconds. */
const PAUSE = 1000;

const clock = (time: number): string => new Date(time).toTimeString().slice(0, 8);

export function bytesText(bytes: number): string {
  const [unit, size] = bytes < 1e6 ? ["kB", 1e3] : ["MB", 1e6];
  return `${(bytes / size).toFixed(1)} ${unit}`;
}

function figures({ round, rounds, loss, accuracy, roundsPerSecond, bytesPerSecond, workers, now }: State): string[] {
  const working = Object.values(workers).filter(({ last }) => now - last < 3000).length;
  return [
    `round ${round}/${rounds}`,
    `loss ${loss === undefined ? "-" : lossText(loss)}`,
    `accuracy ${accuracy === undefined ? "-" : accuracyText(accuracy)}`,
    `${roundsPerSecond.toFixed(1)} rounds/s`,
    `${bytesText(bytesPerSecond)}/s`,
    `${working} working`,
  ];
}

/** Lines alone, for pipes and files. */
export function lines(say: (text: string) => void): View {
  let last = -Infinity;
  return {
    event: ({ time, text }) => say(`${clock(time)} ${text}`),
    round(state, isLast) {
      if (!isLast && performance.now() - last < PAUSE) return;
      last = performance.now();
      say(figures(state).join("  "));
    },
  };
}

/** Lines above a bar. */
export function bar(cluster: Cluster): View {
  let shown: { round: number; texts: string[] } | undefined;
  const start = (): void => {
    if (shown === undefined) return;
    startBar("training", cluster.options.settings.rounds, [], true);
    updateBar(shown.round, shown.texts);
  };
  return {
    event({ time, text }) {
      stopBar();
      console.log(`${clock(time)} ${text}`);
      if (cluster.state.result === undefined) start();
    },
    round(state) {
      const isFirst = shown === undefined;
      shown = { round: state.round, texts: figures(state) };
      if (isFirst) start();
      else updateBar(state.round, shown.texts);
    },
  };
}

export const KEYS = "keys: 1 to 9 kill or start a worker, c the coordinator, s the server; q ends all";

/** Reads keys. */
export function listen(cluster: Cluster, quit: () => void): void {
  const { stdin } = process;
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  stdin.on("data", (keys: string) => {
    for (const key of keys) {
      if (key === "q" || key === "\u0003") quit();
      const name = { c: "coordinator", s: "server" }[key] ?? (/[1-9]/.test(key) ? `worker-${key}` : undefined);
      if (name !== undefined) void cluster.do({ do: "toggle", name });
    }
  });
  process.on("exit", () => stdin.setRawMode(false));
}
