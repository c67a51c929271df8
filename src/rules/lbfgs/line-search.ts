// The line search of torch.optim.LBFGS: finds a point that satisfies the strong Wolfe conditions, by cubic interpolation.

/** The loss must fall by at least C1 times the linear prediction, and the slope to at most C2 times its first magnitude. */
const C1 = 1e-4;
const C2 = 0.9;
const MAX_TRIALS = 25;
/** The search ends when no parameter can move by more than this within the bracket. */
const MIN_MOVE = 1e-9;

/** Where a trial's gradient is: in `grad`, at the start of the line, or in buffer 0 or 1. */
export const IN_PLACE = -2;
export const AT_START = -1;

/** A point θ + t·d of the line, with the loss and the slope there. */
export interface Trial {
  readonly t: number;
  readonly loss: number;
  readonly slope: number;
  readonly gradient: number;
}

export interface Line {
  /** Evaluates at t, leaving the gradient in `grad`; the loss is Infinity where it or the slope is not finite. */
  evaluate(t: number): Trial;
  /** Copies `grad` into buffer 0 or 1. */
  keep(buffer: number): void;
}

/**
 * Searches the line from `start` (t = 0, slope < 0); the first trial is at t = `first`. `reach` is the largest |d|. Returns the
 * best point found, which may be the start.
 * @see Nocedal, Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6
 */
export function strongWolfe(line: Line, start: Trial, first: number, reach: number): Trial {
  const isTooHigh = ({ t, loss }: Trial): boolean => !(loss <= start.loss + C1 * t * start.slope);
  const isFlat = ({ slope }: Trial): boolean => Math.abs(slope) <= -C2 * start.slope;
  /** Copies the trial's gradient to the buffer that the other end of the bracket does not use. */
  const keep = (trial: Trial, other: Trial): Trial => {
    const buffer = other.gradient === 0 ? 1 : 0;
    line.keep(buffer);
    return { ...trial, gradient: buffer };
  };

  let previous = start;
  let trial = line.evaluate(first);
  let n = 0;
  for (; n < MAX_TRIALS; n++) {
    if (isTooHigh(trial) || (n > 1 && trial.loss >= previous.loss)) break;
    if (isFlat(trial)) return trial;
    if (trial.slope >= 0) break;
    const t = interpolate(previous, trial, trial.t + 0.01 * (trial.t - previous.t), trial.t * 10);
    previous = keep(trial, start);
    trial = line.evaluate(t);
  }

  // As in PyTorch, the low end is the one with the lower loss, even if that has not fallen enough.
  let low = n < MAX_TRIALS ? previous : start;
  let high = keep(trial, low);
  if (high.loss < low.loss) [low, high] = [high, low];
  let stalled = false;
  for (; n < MAX_TRIALS; n++) {
    const min = Math.min(low.t, high.t);
    const max = Math.max(low.t, high.t);
    if ((max - min) * reach < MIN_MOVE) break;
    let t = interpolate(low, high, min, max);
    // At an end, or close to one twice in a row, there is no progress: move a tenth of the bracket away from that end.
    const margin = 0.1 * (max - min);
    const close = Math.min(max - t, t - min) < margin;
    if (close && (stalled || t >= max || t <= min)) {
      t = max - t < t - min ? max - margin : min + margin;
      stalled = false;
    } else {
      stalled = close;
    }
    trial = line.evaluate(t);
    if (isTooHigh(trial) || trial.loss >= low.loss) {
      high = keep(trial, low);
      if (high.loss < low.loss) [low, high] = [high, low];
    } else {
      if (isFlat(trial)) return trial;
      if (trial.slope * (high.t - low.t) >= 0) high = low;
      low = keep(trial, high);
    }
  }
  return low;
}

/** The minimum in [from, to] of the cubic through the losses and slopes of two points; the midpoint where it has none. */
function interpolate(a: Trial, b: Trial, from: number, to: number): number {
  const [x, y] = a.t <= b.t ? [a, b] : [b, a];
  const d1 = x.slope + y.slope - (3 * (x.loss - y.loss)) / (x.t - y.t);
  const d2 = Math.sqrt(d1 * d1 - x.slope * y.slope);
  const t = y.t - (y.t - x.t) * ((y.slope + d2 - d1) / (y.slope - x.slope + 2 * d2));
  return Number.isFinite(t) ? Math.min(Math.max(t, from), to) : (from + to) / 2;
}
