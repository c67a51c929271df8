// npm run test:tfjs-wasm:browser [-- browsers]: a page that trains every model of ../models.ts on the wasm backend, as a module
// that Vite bundles and as script tags, on each build of the backend; with the losses of the cpu backend in Node. Ends with counts.
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { build as bundle } from "esbuild";
import { build } from "vite";
import { registerKernels } from "gradstep/tfjs/wasm";
import { installBrowsers, openChromium, openFirefox, openWebKit } from "../../playground/browser/browsers/index.ts";
import { type Open, inTime } from "../../playground/browser/page.ts";
import { losses, models } from "../models.ts";
import type { Result } from "./train.ts";

const browsers: Readonly<Record<string, Open>> = {
  Chromium: openChromium,
  Firefox: openFirefox,
  WebKitGTK: openWebKit,
};
const SECONDS = 120;
const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const tensorflow = file("../../../node_modules/@tensorflow/");

interface Visit {
  readonly page: "module" | "script";
  readonly flags: string;
  /** Whether the page is isolated from others, and so may use threads. */
  readonly isolated: boolean;
}
const visits: readonly Visit[] = [
  { page: "module", flags: "", isolated: false },
  { page: "module", flags: "simd", isolated: false },
  { page: "module", flags: "simd&threads", isolated: true },
  { page: "script", flags: "simd", isolated: false },
  { page: "script", flags: "simd&threads", isolated: true },
];

/** The files of the pages. */
async function makePages(folder: string): Promise<Readonly<Record<string, string>>> {
  await build({
    configFile: false,
    logLevel: "error",
    // The backend makes its workers from the text of a function, which must not use names of the bundle.
    build: {
      minify: false,
      outDir: folder,
      emptyOutDir: false,
      lib: { entry: file("module.ts"), formats: ["es"], fileName: "module" },
    },
  });
  await bundle({
    entryPoints: [file("script.ts")],
    outfile: join(folder, "script.js"),
    bundle: true,
    plugins: [
      {
        name: "global",
        setup(bundler) {
          bundler.onResolve({ filter: /^@tensorflow\/tfjs$/ }, ({ path }) => ({ path, namespace: "global" }));
          bundler.onLoad({ filter: /./, namespace: "global" }, () => ({ contents: "module.exports = globalThis.tf;" }));
        },
      },
    ],
  });
  const head = '<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,">';
  const scripts = ["tf.min.js", "tf-backend-wasm.min.js", "tfjs-wasm.js", "script.js"];
  return {
    "/module": `${head}<script type="module" src="/module.js"></script>`,
    "/script": `${head}${scripts.map((name) => `<script src="/${name}"></script>`).join("")}`,
    "/module.js": readFileSync(join(folder, "module.js"), "utf8"),
    "/script.js": readFileSync(join(folder, "script.js"), "utf8"),
    "/tf.min.js": readFileSync(`${tensorflow}tfjs/dist/tf.min.js`, "utf8"),
    "/tf-backend-wasm.min.js": readFileSync(`${tensorflow}tfjs-backend-wasm/dist/tf-backend-wasm.min.js`, "utf8"),
    "/tfjs-wasm.js": readFileSync(file("../../../dist/standalone/tfjs-wasm.js"), "utf8"),
  };
}

const TYPES: Readonly<Record<string, string>> = { js: "text/javascript", wasm: "application/wasm" };

async function serve(pages: Readonly<Record<string, string>>, isolated: boolean) {
  const server = createServer((request, response) => {
    const path = request.url!.split("?")[0];
    const [, wasm] = /^\/wasm\/([\w-]+\.wasm)$/.exec(path) ?? [];
    response.setHeader("Content-Type", TYPES[path.split(".")[1] ?? ""] ?? "text/html");
    if (isolated)
      response
        .setHeader("Cross-Origin-Opener-Policy", "same-origin")
        .setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    if (wasm) response.end(readFileSync(`${tensorflow}tfjs-backend-wasm/dist/${wasm}`));
    else if (path in pages) response.end(pages[path]);
    else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Opens the page, and waits for what it has done. */
async function result(open: Open, url: string, folder: string): Promise<Result> {
  const page = await inTime(open(url, { width: 800, height: 600, dark: false }, folder), "opening", 60);
  try {
    const end = Date.now() + SECONDS * 1000;
    while (Date.now() < end) {
      const text = (await inTime(page.evaluate("JSON.stringify(globalThis.result ?? null)"), "the result")) as string;
      const found = JSON.parse(text) as Result | null;
      if (found !== null) return found;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return { error: `nothing in ${SECONDS} s; ${page.faults().join("; ")}` };
  } finally {
    await page.close().catch(() => undefined);
  }
}

/** What is wrong with a result. */
function wrong(found: Result, expected: NonNullable<Result["losses"]>, threads: boolean): string | undefined {
  if (found.losses === undefined) return found.error;
  if (found.shared !== (threads && found.canShare)) return `the memory is ${found.shared ? "" : "not "}shared`;
  const others = Object.keys(expected).filter((name) =>
    expected[name].some((loss, i) => !(Math.abs(found.losses![name][i] / loss - 1) < 1e-4)),
  );
  return others.length > 0 ? `other losses: ${others.join(", ")}` : undefined;
}

async function main(names: readonly string[]): Promise<void> {
  registerKernels(); // for the gradient of einsum, which no backend has
  tf.enableProdMode();
  await tf.setBackend("cpu");
  const expected: Record<string, readonly number[]> = {};
  for (const name of Object.keys(models)) expected[name] = await losses(name);
  installBrowsers();
  const folder = mkdtempSync(join(tmpdir(), "gradstep-tfjs-"));
  let [passed, failed] = [0, 0];
  try {
    const pages = await makePages(folder);
    for (const [browser, open] of Object.entries(browsers)) {
      if (names.length > 0 && !names.includes(browser)) continue;
      for (const { page, flags, isolated } of visits) {
        const site = await serve(pages, isolated);
        const found = await result(open, `${site.url}/${page}?${flags}`, folder).catch((error: unknown) => ({
          error: String(error),
        }));
        site.close();
        const message = wrong(found, expected, isolated);
        if (message === undefined) passed++;
        else failed++;
        console.log(`${browser}, ${page}, ${flags || "plain"}: ${message ?? "trains"}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  console.log("0 passed, 1 failed");
  process.exit(1);
});
