// npm run test:playground [-- browsers]: the built page under a sub-path, in three browsers, wide and light, then narrow and
// dark. Pictures come to out/playground. Ends with a table and counts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import { installBrowsers, openChromium, openFirefox, openWebKit } from "./browsers/index.ts";
import { type Look, NoAnswer, type Open, type Page, inTime, limited } from "./page.ts";
import { type Site, serveSite } from "./site.ts";
import { digits, threads } from "./steps/digits.ts";
import { speed } from "./steps/speed.ts";
import type { Step } from "./steps/step.ts";
import { surfaces } from "./steps/surfaces.ts";
import {
  accessible,
  copies,
  dark,
  firstLoad,
  fold,
  full,
  keyboard,
  links,
  narrow,
  opens,
  policy,
  quiet,
} from "./steps/whole.ts";

const OPEN_SECONDS = 60;
const out = fileURLToPath(new URL("../../../out/playground", import.meta.url));

const browsers: Readonly<Record<string, Open>> = {
  Chromium: openChromium,
  Firefox: openFirefox,
  WebKitGTK: openWebKit,
};

interface Visit {
  readonly name: string;
  readonly look: Look;
  /** Whether the page is isolated from others, and so may use threads. */
  readonly isolated: boolean;
  readonly steps: readonly Step[];
}

const visits: readonly Visit[] = [
  {
    name: "desk",
    look: { width: 1280, height: 720, dark: false },
    isolated: true,
    steps: [
      opens,
      firstLoad,
      fold,
      links,
      ...surfaces,
      ...digits,
      threads,
      ...speed,
      copies,
      keyboard,
      accessible,
      quiet,
      policy,
    ],
  },
  {
    name: "phone",
    look: { width: 360, height: 740, dark: true },
    isolated: false,
    steps: [opens, firstLoad, fold, dark, full, narrow, accessible, quiet],
  },
];

interface Result {
  readonly step: string;
  readonly passed: boolean;
  readonly seen: string;
}

/** All steps of a visit; after a browser that does not answer the others fail too. */
async function visit(open: Open, site: Site, { name, look, steps }: Visit, browser: string): Promise<Result[]> {
  const downloads = mkdtempSync(join(tmpdir(), "gradstep-playground-"));
  const clean = (): void => rmSync(downloads, { recursive: true, force: true });
  process.on("exit", clean);
  const results: Result[] = [];
  let page: Page | undefined;
  let lost: string | undefined;
  try {
    page = limited(await inTime(open(site.url, look, downloads), `opening ${browser}`, OPEN_SECONDS));
    const picture = async (what: string, id: string): Promise<void> => {
      await page!.evaluate(`probe.place("${id}").top`);
      writeFileSync(join(out, `${browser}-${name}-${what}.png`), await page!.screenshot());
    };
    for (const step of steps) {
      const result = await attempt(step, () =>
        lost === undefined
          ? step.run({ page: page!, site, downloads, picture })
          : Promise.reject(new Error(`not tried: ${lost}`)),
      );
      if (result.lost) lost = result.seen;
      results.push(result);
      process.stderr.write(`${browser}, ${name}: ${result.passed ? "✓" : "✗"} ${result.step}: ${result.seen}\n`);
    }
  } catch (error) {
    results.push({ step: `${name}: opens`, passed: false, seen: String(error) });
  } finally {
    await page?.close().catch(() => undefined);
    clean();
    process.off("exit", clean);
  }
  return results;
}

async function attempt(step: Step, run: () => Promise<string>): Promise<Result & { readonly lost: boolean }> {
  try {
    return { step: step.name, passed: true, seen: await run(), lost: false };
  } catch (error) {
    const seen = error instanceof Error ? error.message : String(error);
    return { step: step.name, passed: false, seen, lost: error instanceof NoAnswer };
  }
}

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !(name in browsers));
  if (unknown.length > 0)
    throw new RangeError(`unknown browser "${unknown[0]}"; the browsers are ${Object.keys(browsers).join(", ")}`);
  installBrowsers();
  mkdirSync(out, { recursive: true });
  const results = new Map<string, Result[]>();
  for (const [browser, open] of Object.entries(browsers)) {
    if (names.length > 0 && !names.includes(browser)) continue;
    const all: Result[] = [];
    for (const one of visits) {
      const site = await serveSite(one.isolated);
      all.push(...(await visit(open, site, one, browser)));
      site.close();
    }
    results.set(browser, all);
  }

  const table = new Table({ head: ["browser", "passed", "failed"], style: { head: [], border: [] } });
  let [passed, failed] = [0, 0];
  for (const [browser, all] of results) {
    const good = all.filter((result) => result.passed).length;
    table.push([browser, good, all.length - good]);
    passed += good;
    failed += all.length - good;
  }
  console.log(table.toString());
  for (const [browser, all] of results)
    for (const { step, seen, passed } of all) if (!passed) console.log(`${browser}: ${step}: ${seen}`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1); // a browser that did not open in time is not waited for
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof RangeError ? `test:playground: ${error.message}` : error);
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
});
