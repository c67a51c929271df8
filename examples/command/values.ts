// What the values of options may be. Commander puts the option's name and value before each message.
import { InvalidArgumentError } from "commander";
import { didYouMean } from "../../src/util/names.ts";

export const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text.trim()) ? Number(text) : NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    return value;
  };

export function number(text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError("Expected a number, such as 0.001 or 1e-3.");
  return value;
}

export const list = (text: string): string[] => text.split(",").map((item) => item.trim());

export function choice<const T extends string>(...names: readonly T[]): (text: string) => T {
  return (text) => {
    const name = names.find((candidate) => candidate === text.trim().toLowerCase());
    if (name === undefined)
      throw new InvalidArgumentError(`Expected ${alternatives(names)}${didYouMean(text, names) || "."}`);
    return name;
  };
}

function alternatives(names: readonly string[]): string {
  return names.length > 1 ? `one of ${names.join(", ")}` : names[0];
}
