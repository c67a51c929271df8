// What the values of options may be. Commander puts the option's name and value before each message.
import { InvalidArgumentError } from "commander";
import type { Dialect } from "gradstep";
import { choice, list, number, whole } from "../command/values.ts";
import { type RuleName, ruleNames } from "./all-rules.ts";
import type { ModelName } from "./models.ts";
import type { ScheduleName } from "./train.ts";

/** The command line, read. */
export interface CommandLine {
  rule: RuleName;
  epochs?: number;
  batch: number;
  lr?: number;
  betas?: readonly [number, number];
  dialect: Dialect;
  model: ModelName;
  hidden: readonly number[];
  seed: number;
  data?: string;
  json?: true;
  compare?: readonly RuleName[];
  experiment?: "betas";
  seeds?: number;
  checkpoint?: string;
  every?: number;
  resume?: string;
  ema?: number;
  schedule?: ScheduleName;
}

export function decay(text: string): number {
  const value = number(text);
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError("Expected a number from 0 to 1, such as 0.999.");
  return value;
}

export function betas(text: string): readonly [number, number] {
  const values = list(text).map((item) => (item === "" ? NaN : Number(item)));
  const [first, second] = values;
  if (values.length !== 2 || values.some(Number.isNaN))
    throw new InvalidArgumentError("Expected two numbers with a comma between them, such as 0.9,0.999.");
  return [first, second];
}

const width = whole(1, 65536);
export const widths = (text: string): number[] => list(text).map(width);

export const rule = choice(...ruleNames);

export function ruleList(text: string): RuleName[] {
  const names = list(text).map((item) => {
    try {
      return rule(item);
    } catch {
      throw new InvalidArgumentError(`"${item}" is none of ${ruleNames.join(", ")}.`);
    }
  });
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new InvalidArgumentError(`"${twice}" is there twice.`);
  return names;
}
