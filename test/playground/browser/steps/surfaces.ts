import { setTimeout } from "node:timers/promises";
import type { Page } from "../page.ts";
import { type Step, click, expect, placeOf, text, until } from "./step.ts";

const PAIRS = 3;
const WINDOW_MS = 1200;
/** Of the rate at which the browser draws when it has nothing to do. */
const LEAST_SHARE = 0.9;
/** Where the browser draws 60 times a second, but for the clock. */
const [SIXTY, LEAST_OF_SIXTY] = [58, 55];
const FASTEST = 7;

export const surfaces: readonly Step[] = [
  { name: "60 frames a second, all rules", run: ({ page }) => frameRate(page) },
  { name: "60 frames a second, all rules, fastest", run: ({ page }) => frameRate(page, FASTEST) },
  {
    name: "plays, pauses, steps, starts anew",
    async run({ page, picture }) {
      await setPlaying(page, false);
      await click(page, "reset");
      await until(page, `document.getElementById("steps").textContent === "0"`, 2);
      await click(page, "step");
      await until(page, `document.getElementById("steps").textContent === "1"`, 2);
      const { left, top, width, height } = await placeOf(page, "stage");
      await page.draw([[[left + width / 4, top + height / 4]]]);
      await until(page, `document.getElementById("race-status").textContent === "Start at x -1.25, y 2.25."`, 2).catch(
        () => undefined,
      );
      const start = await text(page, "race-status");
      expect(start.startsWith("Start at"), `after a click on the picture: "${start}"`);
      await setPlaying(page, true);
      await until(page, `parseInt(document.getElementById("steps").textContent) > 60`, 10);
      await setPlaying(page, false);
      await picture("surfaces", "stage");
      return start;
    },
  },
  {
    name: "settings on sliders",
    async run({ page }) {
      const button = `document.querySelector("[data-rule=adam] .settings")`;
      const before = await page.evaluate(`${button}.textContent`);
      await page.evaluate(`${button}.click()`);
      await page.evaluate(`document.querySelector("[data-rule=adam] input[type=range]").focus()`);
      await page.press("ArrowRight", 20);
      const after = await page.evaluate(`${button}.textContent`);
      expect(before !== after, `the learning rate stayed ${String(before)}`);
      return `${String(before)} to ${String(after)}`;
    },
  },
];

/** Frames of the race against frames of the page at rest, in turns. */
async function frameRate(page: Page, pace?: number): Promise<string> {
  await click(page, "all");
  await page.evaluate(`probe.place("stage").top`);
  if (pace !== undefined) await setPace(page, pace);
  const pairs: { rest: number; race: number }[] = [];
  for (let i = 0; i < PAIRS; i++) {
    await setPlaying(page, false);
    const rest = await rate(page, "browser");
    await click(page, "reset");
    await setPlaying(page, true);
    pairs.push({ rest, race: await rate(page, "race") });
  }
  await setPlaying(page, false);
  const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const rest = median(pairs.map((pair) => pair.rest));
  const race = median(pairs.map((pair) => pair.race));
  const share = median(pairs.map((pair) => pair.race / pair.rest));
  const seen = `${race.toFixed(1)} of ${rest.toFixed(1)} a second at rest`;
  expect(share >= LEAST_SHARE, `${seen}: expected ${LEAST_SHARE} of it`);
  expect(rest < SIXTY || race >= LEAST_OF_SIXTY, `${seen}: expected ${LEAST_OF_SIXTY}`);
  return seen;
}

async function rate(page: Page, whose: "browser" | "race"): Promise<number> {
  const read = async (): Promise<{ ms: number; frames: number }> => {
    const [ms, browser, race] = (await page.evaluate("probe.frames()")) as [number, number, number];
    return { ms, frames: whose === "browser" ? browser : race };
  };
  await setTimeout(200);
  const first = await read();
  await setTimeout(WINDOW_MS);
  const last = await read();
  return ((last.frames - first.frames) / (last.ms - first.ms)) * 1000;
}

async function setPlaying(page: Page, playing: boolean): Promise<void> {
  if (((await text(page, "play")) === "Pause") !== playing) await click(page, "play");
}

const setPace = (page: Page, pace: number): Promise<unknown> =>
  page.evaluate(`(() => {
    const input = document.getElementById("pace");
    input.value = "${pace}";
    input.dispatchEvent(new Event("input"));
  })()`);
