import { InvalidArgumentError, Option } from "commander";

/** An option that takes a list with commas, of known names in any case. */
export function list(
  flags: string,
  what: string,
  known: readonly string[],
  standard: readonly string[] = known,
): Option {
  return new Option(flags, `${what}: any of ${known.join(", ")}`)
    .argParser((text) => {
      const names = text.split(",").map((name) => name.trim().toLowerCase());
      const stranger = names.find((name) => !known.some((one) => one.toLowerCase() === name));
      if (stranger !== undefined) throw new InvalidArgumentError(`"${stranger}" is none of ${known.join(", ")}.`);
      return known.filter((one) => names.includes(one.toLowerCase()));
    })
    .default([...standard], standard.length === known.length ? "all" : standard.join(","));
}

/** For a number of rounds or seconds. */
export function whole(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("A whole number from 1 to 9999 is expected.");
  return Number(text);
}
