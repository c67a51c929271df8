import { type Knob, STEPS, positionOf, show, valueAt } from "../surfaces/knobs.ts";
import { make } from "./dom.ts";

/** Puts a slider on a knob's value; screen readers hear the value rather than the position. */
export function placeSlider(input: HTMLInputElement, output: HTMLOutputElement, knob: Knob, value: number): void {
  input.max = String(STEPS);
  input.value = String(positionOf(knob, value));
  tell(input, output, value);
}

/** Reads the value of a slider that was moved, and shows it. */
export function readSlider(input: HTMLInputElement, output: HTMLOutputElement, knob: Knob): number {
  const value = valueAt(knob, Number(input.value));
  tell(input, output, value);
  return value;
}

/** A labelled slider for a knob. */
export function makeSlider(knob: Knob, value: number, onInput: (value: number) => void): HTMLLabelElement {
  const input = make("input", { type: "range", min: "0", max: String(STEPS), step: "1" });
  const output = make("output");
  placeSlider(input, output, knob, value);
  input.addEventListener("input", () => onInput(readSlider(input, output, knob)));
  return make("label", { class: "slider" }, make("span", {}, knob.label), input, output);
}

function tell(input: HTMLInputElement, output: HTMLOutputElement, value: number): void {
  const text = show(value);
  output.textContent = text;
  input.setAttribute("aria-valuetext", text);
}
