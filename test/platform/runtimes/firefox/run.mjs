import puppeteer from "puppeteer-core";

export const run = async ({ bundle, withPage }) => {
  const script = await bundle({ entry: "page", format: "iife" });
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr" });
  try {
    const page = await browser.newPage();
    return await withPage(script, async (url) => {
      await page.goto(url, { timeout: 120_000 });
      const result = JSON.parse(await page.evaluate("JSON.stringify(result)"));
      return { version: (await browser.version()).replace(/^\D+/, ""), result };
    });
  } finally {
    await browser.close();
  }
};
