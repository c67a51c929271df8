/* global document, location, performance */
// The page, in Chromium, as `npx vite examples/browser` serves it and as Vite builds it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { build, createServer, preview } from "vite";

const root = fileURLToPath(new URL("../../../examples/browser", import.meta.url));
const shots = fileURLToPath(new URL("../../../out/examples", import.meta.url));
mkdirSync(shots, { recursive: true });
const outDir = mkdtempSync(`${tmpdir()}/gradstep-`);
afterAll(() => rmSync(outDir, { recursive: true }));

const args = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
let browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args, chromiumSandbox: false });
});
afterAll(() => browser?.close());

const server = { host: "127.0.0.1", port: 0 };
const served = async () => (await createServer({ root, configFile: false, logLevel: "warn", server })).listen();
/** The page's policy comes as a header too, which its worker obeys as well. */
const built = async () => {
  const common = {
    root,
    configFile: false,
    logLevel: "warn",
    build: { outDir, emptyOutDir: false },
    worker: { format: "es" },
  };
  await build(common);
  const policy = /content="(default-src [^"]*)"/.exec(readFileSync(`${outDir}/index.html`, "utf8"))[1];
  return preview({ ...common, preview: { ...server, headers: { "Content-Security-Policy": policy } } });
};

/** What the page shows, without what depends on the machine. */
const shown = async (page) => {
  const texts = ["step", "loss", "accuracy", "status"].map((id) => page.textContent(`#${id}`));
  const [step, loss, accuracy, status] = await Promise.all(texts);
  return { step: Number(step.replaceAll(/\D/g, "")), loss: Number(loss), accuracy: Number(accuracy), status };
};
const until = (page, status) => page.getByText(status, { exact: true }).waitFor({ timeout: 30_000 });

describe.each([
  ["served", served],
  ["built", built],
])("%s", (name, open) => {
  let site, page;
  const faults = [];
  beforeAll(async () => {
    site = await open();
    page = await browser.newPage({ viewport: { width: 1000, height: 1100 }, locale: "en-GB", colorScheme: "light" });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) faults.push(message.text());
    });
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("requestfailed", (request) => faults.push(`failed: ${request.url()}`));
    page.on("response", (response) => {
      if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`);
    });
    await page.goto(site.resolvedUrls.local[0]);
  });
  afterAll(async () => {
    await page?.close();
    await site?.close();
  });

  let untrained;
  test("shows the untrained network", async () => {
    await until(page, "Ready to train.");
    await page.getByText("0", { exact: true }).waitFor();
    untrained = await shown(page);
    expect(untrained.loss).toBeGreaterThan(0.6);
  });

  test("trains, pauses and goes on", async () => {
    await page.click("#train");
    await page.waitForFunction(() => {
      if (document.getElementById("progress").value === 0) return false;
      document.getElementById("train").click(); // at once: it would soon be trained
      return true;
    });
    await page.waitForTimeout(200);
    const paused = await shown(page);
    expect([paused.status, paused.step < 10_000]).toEqual(["Paused.", true]);
    await page.waitForTimeout(200);
    expect(await shown(page)).toEqual(paused);

    await page.click("#train");
    await until(page, "Trained.");
    const trained = await shown(page);
    expect(trained.step).toBe(10_000);
    expect(trained.accuracy).toBeGreaterThan(0.98);
    expect(trained.loss).toBeLessThan(untrained.loss / 10);
    expect(await page.isDisabled("#train")).toBe(true);
  });

  test("is readable in light, dark and on a phone", async () => {
    for (const [shot, colorScheme, width] of [
      ["light", "light", 1000],
      ["dark", "dark", 1000],
      ["phone", "dark", 360],
    ]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 1100 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      await page.screenshot({ path: `${shots}/${name}-${shot}.png`, fullPage: true });
    }
  });

  test("starts again where it began", async () => {
    await page.click("#restart");
    await page.waitForFunction(() => document.getElementById("progress").value === 0);
    expect(await shown(page)).toEqual(untrained);
  });

  test("has no fault in the console, and asks no other host", async () => {
    const hosts = await page.evaluate(() =>
      performance.getEntriesByType("resource").map((entry) => new URL(entry.name, location).host),
    );
    expect(new Set(hosts)).toEqual(new Set([new URL(page.url()).host]));
    expect(faults).toEqual([]);
  });
});
