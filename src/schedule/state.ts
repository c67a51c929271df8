// The state dict of a schedule.
import { type Kind, list } from "../util/check.js";

export const FORMAT = "gradstep/schedule";
export const VERSION = 1;

/** What `stateDict()` of a schedule returns: plain and structured-cloneable. */
export interface ScheduleState extends InnerState {
  /** Marks a schedule's state: others are refused. */
  readonly format: typeof FORMAT;
  /** Version of this layout: others are refused. */
  readonly version: typeof VERSION;
  /** Calls of `step()` so far, a whole number >= 0. */
  readonly counter: number;
  /** The rate of each group before the schedule set it. */
  readonly baseLrs: readonly number[];
  /** The rate of each group when saved, whoever set it; a load sets it again. Not in states of version 0.1. */
  readonly lastLrs?: readonly number[];
  /** The momentum of each group when saved, if the schedule cycles it. */
  readonly lastMomenta?: readonly (number | undefined)[];
}

/** A part of {@link ScheduleState}: a schedule without its counter, which follows from that of the whole. */
export interface InnerState {
  /** The class's name. */
  readonly kind: string;
  /** All options but functions. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The inner schedules, if it has any. */
  readonly schedulers?: readonly InnerState[];
}

/** A number for each of `count` groups. */
export const groupNumbers = (kind: Kind<number>, count: number): Kind<readonly number[]> =>
  list(kind, `an array of ${count}, a number for each group`, count, count);
