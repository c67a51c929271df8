import { setTimeout } from "node:timers/promises";
import type { Page } from "../page.ts";
import type { Site } from "../site.ts";

/** What a step has at hand. */
export interface Stage {
  readonly page: Page;
  readonly site: Site;
  /** The folder that the browser downloads to. */
  readonly downloads: string;
  /** Keeps a picture under a name, with an element in view. */
  readonly picture: (name: string, id: string) => Promise<void>;
}

/** One thing that must hold; tells what was seen. */
export interface Step {
  readonly name: string;
  run(stage: Stage): Promise<string>;
}

const POLL_MS = 50;

/** Waits until an expression holds. */
export async function until(page: Page, expression: string, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while ((await page.evaluate(expression)) !== true) {
    if (Date.now() > end) throw new Error(`after ${seconds} s still not: ${expression}`);
    await setTimeout(POLL_MS);
  }
}

/** The value of an expression once it has been the same for a while. */
export async function settled(page: Page, expression: string): Promise<string> {
  let value = "";
  for (let same = 0; same < 4;) {
    await setTimeout(POLL_MS);
    const now = JSON.stringify(await page.evaluate(expression));
    same = now === value ? same + 1 : 0;
    value = now;
  }
  return value;
}

export function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** Whether the page may use threads: some browsers have no shared memory even where it is isolated. */
export const mayShare = async (page: Page): Promise<boolean> =>
  (await page.evaluate(
    `crossOriginIsolated && "SharedArrayBuffer" in globalThis && navigator.hardwareConcurrency > 1`,
  )) as boolean;

/** Expressions for the text of an element, and for a click on it. */
export const textOf = (id: string): string => `document.getElementById("${id}").textContent`;
export const text = async (page: Page, id: string): Promise<string> => (await page.evaluate(textOf(id))) as string;
export const click = (page: Page, id: string): Promise<unknown> =>
  page.evaluate(`document.getElementById("${id}").click()`);

interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Where an element is in the window, after scrolling to it. */
export const placeOf = async (page: Page, id: string): Promise<Place> =>
  (await page.evaluate(`probe.place("${id}").toJSON()`)) as Place;
