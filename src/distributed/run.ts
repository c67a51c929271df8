// What a run is: its settings, which all who take part must share, its name, and the inner optimizer.
import type { AnyOptimizer } from "../optimizer/any-optimizer.js";
import type { ParameterDict } from "../memory/parameters.js";
import { show, wholeFrom, wrongType, wrongValue } from "../util/check.js";
import { type Fingerprint, NONE, fingerprint } from "./message.js";
import type { Form } from "./model.js";
import type { RowSettings } from "./rows.js";

/** The rule and options of the optimizer of local steps. */
export interface InnerOptimizer {
  /** The class's name, such as "SGD". */
  readonly rule: string;
  /** Options of all its tensors; those that are left out have the rule's defaults. Default: {}. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/** What the coordinator tells all who join. */
export interface RunInfo {
  readonly version: 1;
  /** Of two coordinators the one with the greater term is the newer. */
  readonly term: number;
  readonly state: "running" | "ended";
  readonly rounds: number;
  readonly settings: RowSettings;
  readonly form: Form;
  /** What the coordinator demands of the inner optimizer. */
  readonly demanded: InnerOptimizer | null;
  /** The inner optimizer's text, once it is settled. */
  readonly inner: string | null;
  /** Of the model that the run ends with, or that the current round begins with. */
  readonly model: number;
}

/** What a task says. */
export interface Task {
  readonly round: number;
  readonly replica: number;
  readonly run: Fingerprint;
  readonly inner: Fingerprint;
  /** The checksum of the model to start from. */
  readonly model: number;
  /** Whether a worker that has answered this task should leave it to another. */
  readonly check: boolean;
  /** Names of workers that have answered it. */
  readonly not: readonly string[];
}

/** Names of streams and subjects. */
export class Names {
  readonly prefix: string;
  readonly tasks: string;
  readonly updates: string;
  readonly model: string;
  readonly info: string;

  constructor(readonly run: string) {
    this.prefix = `gs.${run}`;
    this.tasks = `gs-${run}-task`;
    this.updates = `gs-${run}-up`;
    this.model = `gs-${run}-model`;
    this.info = `gs.${run}.model.info`;
  }

  task(round: number, replica: number, check: boolean): string {
    return `${this.prefix}.task.${round}.${replica}${check ? ".check" : ""}`;
  }

  update(round: number, replica: number, worker: string): string {
    return `${this.prefix}.up.${round}.${replica}.${worker}`;
  }

  chunk(chunk: number): string {
    return `${this.prefix}.model.${chunk}`;
  }
}

/** The durable consumer of tasks, which all workers pull from. */
export const CONSUMER = "workers";

/** A name that is one part of a NATS subject. */
export function readName(owner: string, option: string, value: unknown): string {
  const expected = "1 to 64 letters, digits, _ and -";
  if (typeof value !== "string") throw wrongType(owner, option, expected, value);
  if (!/^[\w-]{1,64}$/.test(value)) throw wrongValue(owner, option, expected, value);
  return value;
}

/** Reads the settings of a run. */
export function readSettings(owner: string, given: Readonly<Record<string, unknown>>): RowSettings {
  const read = (name: string, least: number, most: number): number => {
    const value = wholeFrom(least).read(owner, name, given[name]);
    if (value > most) throw wrongValue(owner, name, `at most ${most}`, value);
    return value;
  };
  return {
    replicas: read("replicas", 1, 65535),
    localSteps: read("localSteps", 1, 2 ** 31),
    batchSize: read("batchSize", 1, 2 ** 31),
    samples: read("samples", 1, 2 ** 32),
    seed: given.seed === undefined ? 0 : read("seed", 0, Number.MAX_SAFE_INTEGER),
  };
}

/** Of the settings by which all that a task does is decided. */
export const fingerprintOf = ({ settings, form }: Pick<RunInfo, "settings" | "form">): Fingerprint =>
  fingerprint(JSON.stringify([1, settings, form]));

/** Of an inner optimizer's text. */
export const innerFingerprint = (text: string | null): Fingerprint => (text === null ? NONE : fingerprint(text));

/** An optimizer whose state can be put back, and what it saves. */
export type InnerState = ReturnType<AnyOptimizer["stateDict"]>;

/** Reads an option that must be an optimizer of these parameters. */
export function readOptimizer(owner: string, value: unknown, params: ParameterDict): AnyOptimizer {
  const { stateDict, loadStateDict } = Object(value) as Partial<AnyOptimizer>;
  const expected = `an optimizer of "params", such as new SGD(params, { lr: 0.1 })`;
  if (typeof stateDict !== "function" || typeof loadStateDict !== "function")
    throw wrongType(owner, "optimizer", expected, value);
  if (!params.tensors(owner).some((tensor) => (tensor.owner as unknown) === value))
    throw wrongValue(owner, "optimizer", expected, value);
  return value as AnyOptimizer;
}

/** An optimizer's rule and options as text, the same for equal ones. */
export function textOfOptimizer(optimizer: AnyOptimizer): string {
  const { rule, groups } = optimizer.stateDict();
  const { stateFormat, nonFinite } = optimizer as { stateFormat?: string; nonFinite?: string };
  const parts = groups.map(({ params, options }) => [groups.length > 1 ? params : "all", options]);
  return JSON.stringify([rule, stateFormat, nonFinite, ...parts], (_, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );
}

/** What an optimizer has that the run's has not, for a message; undefined if nothing. */
export function differenceOf(theirs: string, ours: string): string | undefined {
  if (theirs === ours) return undefined;
  const [a, b] = [theirs, ours].map((text) => JSON.parse(text) as [string, ...unknown[]]);
  if (a[0] !== b[0]) return `trains with ${a[0]}, your optimizer is ${b[0]}`;
  for (let i = 3; i < Math.max(a.length, b.length); i++) {
    if (a[i] === undefined || b[i] === undefined) return `has ${a.length - 3} parameter groups, yours ${b.length - 3}`;
    const [mine, yours] = [a[i], b[i]].map((part) => (part as [unknown, Record<string, unknown>])[1]);
    for (const name of new Set([...Object.keys(mine), ...Object.keys(yours)]))
      if (JSON.stringify(mine[name]) !== JSON.stringify(yours[name]))
        return `trains with "${name}" ${show(mine[name])}, your ${b[0]} has ${show(yours[name])}`;
  }
  return `trains with another ${a[0]} than yours`;
}

/** How an optimizer differs from what the coordinator demands; undefined if it does not. */
export function demandMissed(
  { rule, options = {} }: InnerOptimizer,
  text: string,
  defaults: object,
): string | undefined {
  const [own, , , ...groups] = JSON.parse(text) as [string, unknown, unknown, ...[unknown, Record<string, unknown>][]];
  if (own !== rule) return `trains with ${rule}, your optimizer is ${own}`;
  const wanted: Record<string, unknown> = { ...defaults, ...options };
  for (const [, given] of groups)
    for (const [name, value] of Object.entries(wanted))
      if (JSON.stringify(given[name]) !== JSON.stringify(value))
        return `trains with "${name}" ${show(value)}, your ${rule} has ${show(given[name])}`;
  return undefined;
}
