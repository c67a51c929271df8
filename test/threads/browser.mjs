/* global setTimeout */
// `npm run test:threads:browser`: threads in a real Chromium, on a page with cross-origin isolation and on one without. The
// page steps on two threads, from its main thread, and posts the result; Node does the same on one thread.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { inNode } from "./page.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
const types = { ".js": "text/javascript", ".mjs": "text/javascript" };
const imports = {
  gradstep: "/dist/index.js",
  "gradstep/threads": "/dist/threads/index.js",
  "#binary": "/dist/wasm/inlined.js",
  "#nn-binary": "/dist/nn/binary/inlined.js",
  "@assemblyscript/loader": "/node_modules/@assemblyscript/loader/index.js",
};
const page = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
  const say = (result) => fetch("/result", { method: "POST", body: JSON.stringify(result) });
  addEventListener("error", (event) => say({ error: event.message }));
  const { inBrowser } = await import("/test/threads/page.mjs");
  inBrowser().then(say, (error) => say({ error: error.message }));
</script>`;

/** Opens the page in a new browser; resolves to what the page posts. */
async function open(headers) {
  const folder = mkdtempSync(`${tmpdir()}/gradstep-`);
  let browser;
  try {
    return await new Promise((resolve, reject) => {
      const server = createServer((request, response) => {
        if (request.method === "POST") {
          let body = "";
          request.on("data", (part) => (body += part));
          request.on("end", () => {
            response.end();
            server.close();
            resolve(JSON.parse(body));
          });
          return;
        }
        const file = request.url === "/" ? undefined : new URL(`.${request.url}`, `file://${root}`);
        try {
          const content = file ? readFileSync(file) : page;
          response.writeHead(200, { "content-type": types[extname(file?.pathname ?? "")] ?? "text/html", ...headers });
          response.end(content);
        } catch {
          response.writeHead(404).end();
        }
      });
      server.listen(0, "127.0.0.1", () => {
        const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
        flags.push("--disable-background-networking", "--disable-component-update", "--disable-sync");
        flags.push(`--user-data-dir=${folder}`, `http://127.0.0.1:${server.address().port}/`);
        browser = spawn(chromium, flags, { stdio: "ignore" });
        browser.on("error", reject);
      });
      setTimeout(() => reject(new Error("the page said nothing for a minute")), 60_000).unref();
    });
  } finally {
    browser?.kill("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 300));
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const isolated = await open({
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
});
const plain = await open({});
console.log("isolated:", isolated);
console.log("not isolated:", plain);
const wanted = inNode();
const passed =
  isolated.hash === wanted &&
  isolated.helped > 0 &&
  isolated.workers === 0 &&
  plain.error?.includes("cross-origin isolation");
console.log(passed ? "passed" : `failed: in Node on one thread the hash is ${wanted}`);
process.exitCode = passed ? 0 : 1;
