// What the state of a schedule may hold.
import { type Kind, wrongType, wrongValue } from "../util/check.js";

export const FORMAT = "gradstep/schedule";
export const VERSION = 1;

/** What `stateDict()` of a schedule gives: plain, structured-cloneable, of the form that `version` names. */
export interface ScheduleState extends InnerState {
  /** What it is of: a load refuses any other. */
  readonly format: typeof FORMAT;
  /** The form of this object: a load refuses any other. */
  readonly version: typeof VERSION;
  /** Calls of `step()` so far, a whole number >= 0. */
  readonly counter: number;
  /** The rate of each group before the schedule set it. */
  readonly baseLrs: readonly number[];
  /** The rate of each group as it stood, whoever set it, which a load sets again. Version 0.1 wrote none. */
  readonly lastLrs?: readonly number[];
  /** The momentum of each group as it stood, of a schedule that cycles it. */
  readonly lastMomenta?: readonly (number | undefined)[];
}

/** A part of {@link ScheduleState}: a schedule without its counter, which the whole has. */
export interface InnerState {
  /** The class's name. */
  readonly kind: string;
  /** All options but functions. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The inner ones of a schedule that has any. */
  readonly schedulers?: readonly InnerState[];
}

/** A number for each of `count` groups. */
export function readNumbers(
  owner: string,
  name: string,
  value: unknown,
  count: number,
  kind: Kind<number>,
): readonly number[] {
  const expected = `an array of ${count}, a number for each group`;
  if (!Array.isArray(value)) throw wrongType(owner, name, expected, value);
  if (value.length !== count) throw wrongValue(owner, name, expected, value);
  return Array.from(value, (item: unknown, i) => kind.read(owner, `${name}[${i}]`, item));
}
