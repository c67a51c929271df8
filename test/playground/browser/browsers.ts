// A page in each of the three browsers, by one client library each.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import puppeteer from "puppeteer-core";
import { Builder, type WebDriver } from "selenium-webdriver";

export interface Page {
  /** The value of an expression in the page: JSON. */
  evaluate(expression: string): Promise<unknown>;
  screenshot(): Promise<Buffer>;
  close(): Promise<void>;
}

const binaries = {
  chromium: ["/usr/bin/chromium"],
  "firefox-esr": ["/usr/bin/firefox-esr"],
  "webkit2gtk-driver": ["/usr/bin/WebKitWebDriver"],
  xvfb: ["/usr/bin/xvfb-run"],
} as const;

/** Installs what is missing, where it may. */
export function installBrowsers(): void {
  const missing = Object.entries(binaries).flatMap(([name, [path]]) => (existsSync(path) ? [] : [name]));
  if (missing.length === 0) return;
  execFileSync("apt-get", ["update"], { stdio: "inherit" });
  execFileSync("apt-get", ["install", "-y", ...missing], { stdio: "inherit" });
}

async function openChromium(url: string): Promise<Page> {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(url);
  return {
    evaluate: (expression) => page.evaluate(expression),
    screenshot: () => page.screenshot(),
    close: () => browser.close(),
  };
}

async function openFirefox(url: string): Promise<Page> {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: "/usr/bin/firefox-esr",
    headless: true,
  });
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  await page.goto(url);
  return {
    evaluate: (expression) => page.evaluate(expression),
    screenshot: async () => Buffer.from(await page.screenshot()),
    close: () => browser.close(),
  };
}

async function openWebKit(url: string): Promise<Page> {
  const port = 20_000 + (process.pid % 20_000);
  const env = { ...process.env, WEBKIT_DISABLE_DMABUF_RENDERER: "1", WEBKIT_DISABLE_COMPOSITING_MODE: "1" };
  const server: ChildProcess = spawn("xvfb-run", ["-a", "WebKitWebDriver", `--port=${port}`], {
    env: { ...env, LANG: "en_GB.UTF-8", LIBGL_ALWAYS_SOFTWARE: "1" },
    stdio: "ignore",
    detached: true,
  });
  const stop = (): void => void process.kill(-server.pid!);
  try {
    const driver = await connect(`http://127.0.0.1:${port}`);
    await driver.get(url);
    return {
      evaluate: (expression) => driver.executeScript(`return (${expression})`),
      screenshot: async () => Buffer.from(await driver.takeScreenshot(), "base64"),
      async close() {
        await driver.quit().catch(() => undefined);
        stop();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

/** The driver takes a moment to listen. */
async function connect(address: string): Promise<WebDriver> {
  for (let attempt = 1; ; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    try {
      return await new Builder().usingServer(address).withCapabilities({ browserName: "MiniBrowser" }).build();
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}

export const browsers: Readonly<Record<string, (url: string) => Promise<Page>>> = {
  Chromium: openChromium,
  Firefox: openFirefox,
  WebKitGTK: openWebKit,
};
