// A progress bar on one line of the terminal, which is as it was before when the process ends.
import { SingleBar } from "cli-progress";

/** The widest and the narrowest bar. */
const BAR = { most: 32, least: 8 };

/** Title, bar and figures on one line, the last column left free: where it is too narrow, figures go first, then the bar. */
function format(title: string, figures: readonly string[], progress: number, columns: number): string {
  const percent = `${Math.floor(progress * 100)}%`.padStart(4);
  for (let count = figures.length; ; count--) {
    const tail = [percent, ...figures.slice(0, count)].join("  ");
    const room = Math.min(BAR.most, columns - title.length - tail.length - 3);
    if (room < BAR.least && count > 0) continue;
    const done = Math.floor(progress * Math.max(room, 0));
    return `${title} ${"█".repeat(done)}${"░".repeat(Math.max(room, 0) - done)} ${tail}`;
  }
}

let running: SingleBar | undefined;

/**
 * Starts a bar from 0 to `total`. `figures` come first as blanks as wide as those of {@link updateBar}, so that the bar keeps
 * its width; `clear` removes the bar at its end.
 */
export function startBar(title: string, total: number, figures: readonly string[], clear = false): void {
  running = new SingleBar({
    stream: process.stdout,
    hideCursor: true,
    clearOnComplete: clear,
    format: (_, { progress, maxWidth }, { figures }: { figures: string[] }) =>
      format(title, figures, progress, maxWidth),
  });
  running.start(total, 0, { figures: figures.map((text) => " ".repeat(text.length)) });
}

export function updateBar(done: number, figures: readonly string[]): void {
  running?.update(done, { figures });
}

/** Fills the bar, or leaves it as it is without `figures`. */
export function stopBar(figures?: readonly string[]): void {
  if (figures) updateBar(running?.getTotal() ?? 0, figures);
  running?.stop();
  running = undefined;
}

/** The bar hides the cursor and turns line wrapping off: undone however the process ends. */
export function restoreTerminal(): void {
  process.on("exit", () => running?.stop());
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
}
