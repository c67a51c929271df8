// A hyper-parameter as a slider: what it may be, and where a value is on the slider's way from 0 to 1.

/** How a slider's way goes: "rest" is for decay rates, with equal ways for equal factors of 1 − value. */
type Scale = "linear" | "log" | "rest";

/** A slider for one hyper-parameter. */
export interface Knob {
  /** The option, and behind a dot the element of an option that is a list: `"betas.0"`. */
  readonly option: string;
  readonly label: string;
  readonly scale: Scale;
  readonly min: number;
  readonly max: number;
  readonly start: number;
}

/** Positions of a slider. */
export const STEPS = 200;

const ways: Record<Scale, { to: (x: number) => number; from: (y: number) => number }> = {
  linear: { to: (x) => x, from: (y) => y },
  log: { to: Math.log10, from: (y) => 10 ** y },
  rest: { to: (x) => -Math.log10(1 - x), from: (y) => 1 - 10 ** -y },
};

/** The value at a position from 0 to STEPS, to three digits; a "rest" to three digits of 1 − value. */
export function valueAt({ scale, min, max }: Knob, position: number): number {
  const { to, from } = ways[scale];
  const value = from(to(min) + (position / STEPS) * (to(max) - to(min)));
  const digits = scale === "rest" ? 1 - Number((1 - value).toPrecision(3)) : Number(value.toPrecision(3));
  return Math.min(max, Math.max(min, Number(digits.toFixed(8))));
}

/** The position that is nearest to a value. */
export function positionOf({ scale, min, max }: Knob, value: number): number {
  const { to } = ways[scale];
  return Math.round(((to(value) - to(min)) / (to(max) - to(min))) * STEPS);
}

/** A value as a person reads it: 0.001, 1e-5, 0.9999. */
export function show(value: number): string {
  if (value === 0) return "0";
  return Math.abs(value) < 1e-3 ? value.toExponential(1).replace(".0e", "e") : String(value);
}

/** Options as the constructors take them, from values by knob. */
export function optionsOf(knobs: readonly Knob[], values: readonly number[]): Record<string, number | number[]> {
  const options: Record<string, number | number[]> = {};
  knobs.forEach(({ option }, i) => {
    const [name, element] = option.split(".") as [string, string | undefined];
    if (element === undefined) options[name] = values[i];
    else ((options[name] ??= []) as number[])[Number(element)] = values[i];
  });
  return options;
}

const knob = (option: string, label: string, scale: Scale, min: number, max: number, start: number): Knob => ({
  ...{ option, label, scale, min, max, start },
});

/** The learning rate: six decades around where it starts on a surface. */
export const rate = (start: number): Knob => knob("lr", "learning rate", "log", start / 1000, start * 1000, start);
export const beta = (n: 1 | 2 | 3, start: number, max = 0.9999): Knob =>
  knob(`betas.${n - 1}`, `β${"₁₂₃"[n - 1]}`, "rest", 0, max, start);
export const decayRate = (option: string, label: string, start: number): Knob =>
  knob(option, label, "rest", 0, 0.9999, start);
export const momentum = (start = 0.9): Knob => decayRate("momentum", "momentum", start);
export const weightDecay = (start = 0): Knob => knob("weightDecay", "weight decay", "linear", 0, 0.2, start);
export const linear = (option: string, label: string, min: number, max: number, start: number): Knob =>
  knob(option, label, "linear", min, max, start);
export const log = (option: string, label: string, min: number, max: number, start: number): Knob =>
  knob(option, label, "log", min, max, start);
