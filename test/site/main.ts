// npm run test:site [-- browsers]: the built site under a sub-path, in three browsers, wide and light, then narrow and dark.
// Ends with a line of counts.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installBrowsers, openChromium, openFirefox, openWebKit } from "../playground/browser/browsers/index.ts";
import { type Look, NoAnswer, type Open, inTime, limited } from "../playground/browser/page.ts";
import { serveSite } from "./serve.ts";
import {
  type Step,
  appearance,
  keyboard,
  links,
  pages,
  playground,
  quiet,
  search,
  searchReference,
  walk,
} from "./steps.ts";

const OPEN_SECONDS = 60;
const browsers: Readonly<Record<string, Open>> = {
  chromium: openChromium,
  firefox: openFirefox,
  webkit: openWebKit,
};
const visits: readonly { readonly look: Look; readonly steps: readonly Step[] }[] = [
  {
    look: { width: 1280, height: 900, dark: false },
    steps: [...pages, links, search, searchReference, walk, keyboard, appearance, playground, quiet],
  },
  { look: { width: 360, height: 740, dark: true }, steps: [...pages, quiet] },
];

let [passed, failed] = [0, 0];
function report(what: string, seen: string, good: boolean): void {
  if (good) passed++;
  else failed++;
  console.log(`${good ? "✓" : "✗"} ${what}: ${seen}`);
}

/** All steps of a look at the site; after a browser that does not answer the others fail too. */
async function visit(browser: string, look: Look, steps: readonly Step[]): Promise<void> {
  const downloads = mkdtempSync(join(tmpdir(), "gradstep-site-"));
  const site = await serveSite();
  const name = `${browser}, ${look.width} wide`;
  try {
    const page = limited(
      await inTime(browsers[browser](site.url, look, downloads), `opening ${browser}`, OPEN_SECONDS),
    );
    let lost: string | undefined;
    for (const step of steps)
      try {
        if (lost !== undefined) throw new Error(`not tried: ${lost}`);
        report(`${name}: ${step.name}`, await step.run(page, site), true);
      } catch (error) {
        const { message } = error as Error;
        if (error instanceof NoAnswer) lost = message;
        report(`${name}: ${step.name}`, message, false);
      }
    await page.close().catch(() => undefined);
  } catch (error) {
    report(`${name}: opens`, String(error), false);
  } finally {
    site.close();
    rmSync(downloads, { recursive: true, force: true });
  }
}

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.find((name) => !(name in browsers));
  if (unknown !== undefined)
    throw new RangeError(`unknown browser "${unknown}"; the browsers are ${Object.keys(browsers).join(", ")}`);
  const chosen = names.length > 0 ? names : Object.keys(browsers);
  installBrowsers();
  for (const browser of chosen) for (const { look, steps } of visits) await visit(browser, look, steps);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
main(process.argv.slice(2))
  .catch((error: unknown) => report("test:site", String(error), false))
  .finally(() => {
    console.log(`${passed} passed, ${failed} failed`);
    process.exit(failed === 0 ? 0 : 1); // a browser that did not open in time is not waited for
  });
