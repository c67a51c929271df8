import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { predictSaved } from "../../saved.ts";
import { firstSamples } from "../drawing.ts";
import type { Page } from "../page.ts";
import { type Step, click, expect, mayShare, placeOf, settled, text, textOf, until } from "./step.ts";

const LEAST_ACCURACY = 0.95;
/** Digits to be drawn, and to be read: the network knows 96 of 100. */
const [DRAWN, LEAST_READ] = [20, 18];
/** In percent: the page's image is known to 1 part in 255, its percentages to a tenth. */
const PERCENT = 1;
/** The picture of the filters. */
const tiles = `document.getElementById("filter-tiles").toDataURL()`;
const percentages = `[...document.querySelectorAll(".percent")].map((e) => parseFloat(e.textContent))`;

export const digits: readonly Step[] = [
  {
    name: "says what to do before it is trained",
    async run({ page, picture }) {
      await page.evaluate(`probe.place("train").top`);
      await until(page, `${textOf("learn-status")} === "Ready to train."`, 30);
      await picture("untrained", "train");
      expect((await text(page, "accuracy")) === "untrained", await text(page, "accuracy"));
      expect((await text(page, "pad-hint")) === "draw here" && (await isShown(page, "pad-hint")), "no hint on the pad");
      const { left, top, width, height } = await placeOf(page, "pad");
      await page.draw([
        [
          [left + width / 2, top + height / 4],
          [left + width / 2, top + (3 * height) / 4],
        ],
      ]);
      await until(page, `${textOf("guess")}.startsWith("Untrained: it can only guess")`, 5);
      expect(!(await isShown(page, "pad-hint")), "the hint covers the drawing");
      const guess = await text(page, "guess");
      await click(page, "clear");
      await until(page, `${textOf("guess")} === "Untrained: press Train first."`, 5);
      return guess;
    },
  },
  {
    name: "learns MNIST",
    async run({ page }) {
      await click(page, "train");
      await until(page, `${textOf("learn-status")}.startsWith("Trained")`, 120);
      const accuracy = Number(await page.evaluate(`document.getElementById("accuracy").dataset.value`));
      const epochs = await text(page, "epoch");
      const rate = await text(page, "samples");
      expect(accuracy >= LEAST_ACCURACY, `accuracy ${accuracy} after ${epochs} epochs`);
      return `${accuracy} after ${epochs} epochs, ${rate} samples a second`;
    },
  },
  {
    name: "draws and reads digits of the test set",
    async run({ page, picture }) {
      const readings: string[] = [];
      let right = 0;
      for (const { label, strokes } of firstSamples(DRAWN)) {
        await click(page, "clear");
        await until(page, `${textOf("guess")} .startsWith("Draw a digit")`, 5);
        const { left, top, width, height } = await placeOf(page, "pad");
        await page.draw(strokes.map((stroke) => stroke.map(([x, y]) => [left + x * width, top + y * height] as const)));
        await until(page, `${textOf("guess")}.startsWith("Read as")`, 5);
        await settled(page, percentages);
        const guess = Number(await page.evaluate(`document.getElementById("guess").dataset.digit`));
        readings.push(`${label} as ${guess}`);
        if (guess === label) right++;
        if (readings.length === DRAWN) await picture("digits", "pad");
      }
      expect(right >= LEAST_READ, `${right} of ${readings.length} read rightly: ${readings.join(", ")}`);
      return `${right} of ${readings.length} read rightly`;
    },
  },
  {
    name: "reads a test image",
    async run({ page }) {
      await click(page, "example");
      await until(page, `${textOf("guess")}.endsWith(", correctly.")`, 5);
      return text(page, "guess");
    },
  },
  {
    name: "saves safetensors that predict the same",
    async run({ page, downloads }) {
      await settled(page, percentages);
      await click(page, "save");
      await until(page, `${textOf("learn-status")}.startsWith("Saved as")`, 5);
      const file = readFileSync(await download(downloads));
      const image = (await page.evaluate("probe.seen()")) as number[];
      const shown = (await page.evaluate(percentages)) as number[];
      const predicted = predictSaved(file, image).map((probability) => probability * 100);
      const off = Math.max(...predicted.map((percent, digit) => Math.abs(percent - shown[digit])));
      expect(
        off < PERCENT,
        `the page says ${shown.join(" ")}, the file ${predicted.map((p) => p.toFixed(1)).join(" ")}`,
      );
      return `${file.length} bytes, within ${off.toFixed(2)} %`;
    },
  },
  {
    name: "loads what it saved",
    async run({ page, downloads }) {
      const before = await settled(page, percentages);
      await click(page, "restart");
      await until(page, `JSON.stringify(${percentages}) !== ${JSON.stringify(before)}`, 5);
      await page.choose("load", await download(downloads));
      await until(page, `${textOf("learn-status")}.startsWith("Loaded")`, 15);
      const after = await settled(page, percentages);
      expect(after === before, `${before} before, ${after} after`);
      return text(page, "learn-status");
    },
  },
  {
    name: "trains a convolutional net and shows its filters",
    async run({ page, picture }) {
      expect(!(await isShown(page, "filters")), "the dense network has filters");
      await page.evaluate(`(() => {
        for (const [id, value] of [["hidden", "convolutions"], ["epochs", "1"]]) {
          const select = document.getElementById(id);
          select.value = value;
          select.dispatchEvent(new Event("change"));
        }
      })()`);
      await until(page, `!document.getElementById("filters").hidden`, 5);
      const before = await page.evaluate(tiles);
      await click(page, "train");
      await until(page, `${textOf("learn-status")}.startsWith("Trained")`, 120);
      expect((await page.evaluate(tiles)) !== before, "the filters stayed as they were");
      await picture("filters", "train");
      const accuracy = Number(await page.evaluate(`document.getElementById("accuracy").dataset.value`));
      expect(accuracy >= LEAST_ACCURACY, `accuracy ${accuracy} after an epoch`);
      return `${accuracy} after an epoch`;
    },
  },
  {
    name: "says what is no network",
    async run({ page }) {
      await page.choose("load", join(import.meta.dirname, "digits.ts"));
      await until(page, `${textOf("learn-status")}.startsWith("Not loaded")`, 5);
      return text(page, "learn-status");
    },
  },
];

export const threads: Step = {
  name: "trains on threads where it may",
  async run({ page }) {
    const shared = await mayShare(page);
    const count = Number(await text(page, "threads"));
    expect(count > 1 === shared, `${count} threads, memory ${shared ? "" : "not "}shared`);
    return `${count}, memory ${shared ? "" : "not "}shared`;
  },
};

const isShown = async (page: Page, id: string): Promise<boolean> =>
  (await page.evaluate(`document.getElementById("${id}").getClientRects().length > 0`)) as boolean;

/** The file that the browser has downloaded, whole. */
async function download(folder: string): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const name = existsSync(folder) && readdirSync(folder).find((name) => name.endsWith(".safetensors"));
    if (name) {
      const path = join(folder, name);
      const { size } = statSync(path);
      await setTimeout(200);
      if (size > 0 && statSync(path).size === size) return path;
    }
    await setTimeout(100);
  }
  throw new Error("the browser has downloaded no safetensors file");
}
