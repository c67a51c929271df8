// What a schedule's file declares, and how its options are read.
import { type Kind, list, optionsOf, whole } from "../util/check.js";
import { type Conflict, type Kinds, type Resolved, readOptions } from "../util/options.js";
import type { Curve } from "./curve.js";

/** What Keras, TensorFlow.js, optax and others call the options of schedules: see `didYouMean`. */
const ALIASES =
  "gamma=decayrate,decay,factor stepSize=decaysteps milestones=boundaries factor=gamma totalIters=decaysteps,warmupsteps,totalsteps " +
  "tMax=decaysteps,totalsteps,steps,epochs etaMin=minlr,alpha t0=firstdecaysteps tMult=tmul maxLr=peaklr,learningrate " +
  "totalSteps=decaysteps,steps lrLambda=lambda,schedule minLr=etamin threshold=mindelta swaLr=learningrate lastEpoch=epoch,initialepoch";

/** Names that users look for on a schedule: see `describe`. */
export const FOREIGN = "get_last_lr,get_lr,lr=lastLr last_epoch=stateDict().counter state_dict load_state_dict";

/** What every schedule takes beside options of its own. */
export interface CommonScheduleOptions {
  /**
   * Where the schedule starts: after this many calls of `step()`, a whole number >= 0. (PyTorch's `last_epoch` is one
   * less.) Default 0; a `ChainedScheduler` starts where its schedules are.
   */
  lastEpoch?: number | undefined;
}

/** A schedule's own options, with defaults filled in. */
export type OwnOptions<Options> = Resolved<Omit<Options, keyof CommonScheduleOptions>>;

/** The options of a schedule. */
export interface OptionSet<Options> {
  /** The class's name: begins every message. */
  readonly name: string;
  readonly kinds: Kinds<Omit<Options, keyof CommonScheduleOptions>>;
  readonly defaults: Partial<OwnOptions<Options>>;
  /** Options that may be an array, one value for each group. */
  readonly perGroup?: readonly (keyof Options & string)[];
  /** Options that are not saved under their own names: inner schedules, and those that `complete` replaces. */
  readonly shorthands?: readonly string[];
  complete?(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /** Checks options, each valid, against each other and against the number of inner schedules. */
  conflictWith?(options: OwnOptions<Options>, inner: number): Conflict | undefined;
}

/** What a schedule's file declares: its options, and its curve. */
export interface Definition<Options> extends OptionSet<Options> {
  /** Options that are functions, which cannot be saved. */
  readonly unsaved?: readonly (keyof Options & string)[];
  curve(options: OwnOptions<Options>, inner: readonly Curve[]): Curve;
  /** For a schedule of schedules. */
  readonly schedulers?: {
    /** Whether all inner schedules run at the same time. */
    readonly together: boolean;
    /** The position of the i-th inner schedule when the whole is at e. */
    counter(options: OwnOptions<Options>, i: number, e: number): number;
    /** Whether the i-th inner schedule sets the rate at e. */
    active(options: OwnOptions<Options>, i: number, e: number): boolean;
  };
  /** Options of `perGroup` that give the rate: groups beyond the end of such an array keep their own. */
  readonly rates?: readonly (keyof Options & string)[];
  /** Whether the schedule starts from the present rate, not from the base rate of earlier schedules. */
  readonly fromPresent?: true;
  /** Which positions are valid. Default: whole numbers. */
  readonly position?: Kind<number>;
}

/** Checks the names of the options given to a new schedule, and reads `lastEpoch`. */
export function readGiven<Options>(
  { name, kinds, shorthands = [] }: OptionSet<Options>,
  options: unknown,
): { given: Readonly<Record<string, unknown>>; lastEpoch: number | undefined } {
  const given = optionsOf(name, options, [...Object.keys(kinds), ...shorthands, "lastEpoch"], { aliases: ALIASES });
  const { lastEpoch } = given;
  return { given, lastEpoch: lastEpoch === undefined ? undefined : whole.read(name, "lastEpoch", lastEpoch) };
}

/** Reads the options of a new schedule. */
export const newOptions = <Options>(
  definition: OptionSet<Options>,
  given: Readonly<Record<string, unknown>>,
  groups: number,
  inner = 0,
): OwnOptions<Options> => {
  const completed = definition.complete?.(given) ?? given;
  return ownOptions(definition, "", completed, definition.defaults, { min: groups, max: groups }, inner);
};

/** Reads options from `given`, or from `base` where they are left out. Arrays must have `min` to `max` values. */
export function ownOptions<Options>(
  definition: OptionSet<Options>,
  prefix: string,
  given: Readonly<Record<string, unknown>>,
  base: Partial<OwnOptions<Options>>,
  { min, max }: { readonly min: number; readonly max: number },
  inner = 0,
): OwnOptions<Options> {
  const expected = `one value, or an array of ${max}, one for each group`;
  // In the order of `kinds`, also after a load: the same state makes the same file.
  const ordered: Partial<OwnOptions<Options>> = {};
  for (const key of Object.keys(definition.kinds) as (keyof OwnOptions<Options>)[]) ordered[key] = base[key];
  return readOptions(definition, prefix, given, ordered, (options) => {
    const values: Readonly<Record<string, unknown>> = options;
    const option = definition.perGroup?.find((key) => {
      const value = values[key];
      return Array.isArray(value) && !(value.length >= min && value.length <= max);
    });
    return option ? { option, expected } : definition.conflictWith?.(options, inner);
  });
}

/** One value for all groups, or an array with one for each. */
export type PerGroup<T> = T | readonly T[];

export const perGroup = <T>(kind: Kind<T>): Kind<PerGroup<T>> => {
  const several = list(kind, "an array");
  return {
    live: false,
    read: (owner, name, value) => (Array.isArray(value) ? several : kind).read(owner, name, value),
  };
};

/** The number of groups that have a value. */
export const groupsWith = (value: unknown): number => (Array.isArray(value) ? value.length : Infinity);

/** Group g's value, for g < {@link groupsWith}. */
export const valueAt = <T>(value: PerGroup<T>, g: number): T =>
  Array.isArray(value) ? (value as readonly T[])[g] : (value as T);

/** The momentum of a cycle at e, for each group that has a lowest and a highest one. */
export const momentumCycle = (
  options: { cycleMomentum: boolean; baseMomentum: PerGroup<number>; maxMomentum: PerGroup<number> },
  at: (low: number, high: number, e: number) => number,
): Curve["momentum"] => {
  const { cycleMomentum, baseMomentum, maxMomentum } = options;
  const count = Math.min(groupsWith(baseMomentum), groupsWith(maxMomentum));
  if (!cycleMomentum) return undefined;
  return (e, g) => (g < count ? at(valueAt(baseMomentum, g), valueAt(maxMomentum, g), e) : undefined);
};
