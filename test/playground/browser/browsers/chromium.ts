import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Open } from "../page.ts";
import { drawWith, isForeign, pressWith } from "./common.ts";

export const openChromium: Open = async (url, { width, height, dark }, downloads) => {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
  const faults: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    if (isForeign(request.url(), url)) faults.push(`a request to ${request.url()}`);
  });
  page.on("download", (download) => void download.saveAs(join(downloads, download.suggestedFilename())));
  await page.goto(url);
  return {
    evaluate: (expression) => page.evaluate(expression),
    draw: (strokes) => drawWith(page.mouse, strokes),
    press: (key, times = 1) => pressWith(page.keyboard, key, times),
    choose: (id, path) => page.setInputFiles(`#${id}`, path),
    screenshot: () => page.screenshot(),
    faults: () => faults,
    close: () => browser.close(),
  };
};
