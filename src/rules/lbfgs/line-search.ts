// The strong Wolfe conditions by cubic interpolation, as torch.optim.LBFGS searches: the loss has fallen by at least
// C1 of what the slope promised, and the slope's size has fallen to at most C2 of what it was.

const C1 = 1e-4;
const C2 = 0.9;
const MAX_TRIALS = 25;
/** A bracket in which no parameter could move by more than this is not searched further. */
const NARROW = 1e-9;

/** Where the gradient of a trial is: in place, that of the start, or in one of the two buffers 0 and 1. */
export const IN_PLACE = -2;
export const AT_START = -1;

/** A point of the line: how far along it lies, and the loss and its slope there. */
export interface Trial {
  readonly t: number;
  readonly loss: number;
  readonly slope: number;
  readonly gradient: number;
}

export interface Line {
  /** Goes to t and evaluates there; a loss of Infinity where loss or slope are not finite. Its gradient is in place. */
  evaluate(t: number): Trial;
  /** Copies the gradient in place into a buffer. */
  keep(buffer: number): void;
}

/**
 * Searches the line from `start` (t = 0, slope < 0), at `first` to begin with; `reach` is how far the parameter that moves
 * most moves per unit of t. Returns the best point found, which may be the start.
 * @see Nocedal, Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6
 */
export function strongWolfe(line: Line, start: Trial, first: number, reach: number): Trial {
  const tooHigh = ({ t, loss }: Trial): boolean => !(loss <= start.loss + C1 * t * start.slope);
  const flatEnough = ({ slope }: Trial): boolean => Math.abs(slope) <= -C2 * start.slope;
  /** Saves the gradient of the trial in the buffer that the other end of the bracket does not use. */
  const keep = (trial: Trial, other: Trial): Trial => {
    const buffer = other.gradient === 0 ? 1 : 0;
    line.keep(buffer);
    return { ...trial, gradient: buffer };
  };

  let previous = start;
  let trial = line.evaluate(first);
  let n = 0;
  for (; n < MAX_TRIALS; n++) {
    if (tooHigh(trial) || (n > 1 && trial.loss >= previous.loss)) break;
    if (flatEnough(trial)) return trial;
    if (trial.slope >= 0) break;
    const t = interpolate(previous, trial, trial.t + 0.01 * (trial.t - previous.t), trial.t * 10);
    previous = keep(trial, start);
    trial = line.evaluate(t);
  }

  // The low end is that of the lower loss, as in PyTorch, even where it has fallen by less than it should.
  let low = n < MAX_TRIALS ? previous : start;
  let high = keep(trial, low);
  if (high.loss < low.loss) [low, high] = [high, low];
  let stalled = false;
  for (; n < MAX_TRIALS; n++) {
    const least = Math.min(low.t, high.t);
    const most = Math.max(low.t, high.t);
    if ((most - least) * reach < NARROW) break;
    let t = interpolate(low, high, least, most);
    // Twice in a row close to an end, or beyond it, is no progress: then a tenth of the bracket away from that end.
    const margin = 0.1 * (most - least);
    const close = Math.min(most - t, t - least) < margin;
    if (close && (stalled || t >= most || t <= least)) {
      t = most - t < t - least ? most - margin : least + margin;
      stalled = false;
    } else {
      stalled = close;
    }
    trial = line.evaluate(t);
    if (tooHigh(trial) || trial.loss >= low.loss) {
      high = keep(trial, low);
      if (high.loss < low.loss) [low, high] = [high, low];
    } else {
      if (flatEnough(trial)) return trial;
      if (trial.slope * (high.t - low.t) >= 0) high = low;
      low = keep(trial, high);
    }
  }
  return low;
}

/** The least point, in [from, to], of the cubic with the losses and slopes of two points; the middle where it has none. */
function interpolate(a: Trial, b: Trial, from: number, to: number): number {
  const [x, y] = a.t <= b.t ? [a, b] : [b, a];
  const d1 = x.slope + y.slope - (3 * (x.loss - y.loss)) / (x.t - y.t);
  const d2 = Math.sqrt(d1 * d1 - x.slope * y.slope);
  const t = y.t - (y.t - x.t) * ((y.slope + d2 - d1) / (y.slope - x.slope + 2 * d2));
  return Number.isFinite(t) ? Math.min(Math.max(t, from), to) : (from + to) / 2;
}
