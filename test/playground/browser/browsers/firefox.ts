import puppeteer, { type ElementHandle } from "puppeteer-core";
import type { Open } from "../page.ts";
import { drawWith, isForeign, pressWith } from "./common.ts";

const INTO_FOLDER = 2;

export const openFirefox: Open = async (url, { width, height, dark }, downloads) => {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: "/usr/bin/firefox-esr",
    headless: true,
    extraPrefsFirefox: {
      "layout.css.prefers-color-scheme.content-override": dark ? 0 : 1,
      "browser.download.folderList": INTO_FOLDER,
      "browser.download.dir": downloads,
      "browser.download.alwaysOpenPanel": false,
    },
  });
  const page = await browser.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    if (isForeign(request.url(), url)) faults.push(`a request to ${request.url()}`);
  });
  await page.setViewport({ width, height });
  await page.goto(url);
  return {
    evaluate: (expression) => page.evaluate(expression),
    draw: (strokes) => drawWith(page.mouse, strokes),
    press: (key, times = 1) => pressWith(page.keyboard, key, times),
    async choose(id, path) {
      const input = (await page.$(`#${id}`)) as ElementHandle<HTMLInputElement>;
      await input.uploadFile(path);
    },
    screenshot: async () => Buffer.from(await page.screenshot()),
    faults: () => faults,
    close: () => browser.close(),
  };
};
