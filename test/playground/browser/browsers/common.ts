// What the clients of Chromium and Firefox have alike.
import type { Key, Stroke } from "../page.ts";

interface Mouse {
  move(x: number, y: number): Promise<void>;
  down(): Promise<void>;
  up(): Promise<void>;
}

export async function drawWith(mouse: Mouse, strokes: readonly Stroke[]): Promise<void> {
  for (const [first, ...others] of strokes) {
    await mouse.move(...first);
    await mouse.down();
    for (const point of others) await mouse.move(...point);
    await mouse.up();
  }
}

export async function pressWith(keyboard: { press(key: Key): Promise<void> }, key: Key, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await keyboard.press(key);
}

/** Whether an address is of another host than the page's. */
export const isForeign = (address: string, page: string): boolean =>
  !/^(about|blob|data):/.test(address) && new URL(address).host !== new URL(page).host;
