import { chromium } from "playwright-core";

const args = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const run = async ({ bundle, withPage }) => {
  const script = await bundle({ entry: "page", format: "iife" });
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args, chromiumSandbox: false });
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    return await withPage(script, async (url) => {
      await page.goto(url, { timeout: 120_000 });
      const result = await page.evaluate("result").catch((error) => {
        throw new Error([...errors, error.message].join("; "));
      });
      return { version: browser.version(), result };
    });
  } finally {
    await browser.close();
  }
};
