// npm run test:playground: the built page under a sub-path, in three browsers. Ends with a table; exit code 1 on a failure.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import sirv from "sirv";
import { type Page, browsers, installBrowsers } from "./browsers.ts";

const site = fileURLToPath(new URL("../../../dist-site", import.meta.url));
const out = fileURLToPath(new URL("../../../out/playground", import.meta.url));
const BASE = "/some/where/";
/** Notes what goes wrong in a page, and keeps what it saves. */
const recorder = `
  globalThis.faults = []; globalThis.saved = [];
  addEventListener("error", (e) => faults.push(String(e.message)), true);
  addEventListener("unhandledrejection", (e) => faults.push(String(e.reason)));
  addEventListener("securitypolicyviolation", (e) => faults.push(e.violatedDirective + " " + e.blockedURI));
  for (const level of ["error", "warn"]) console[level] = (...a) => faults.push(a.join(" "));
  const make = URL.createObjectURL;
  URL.createObjectURL = (blob) => { saved.push(blob); return make.call(URL, blob); };`;

const files = sirv(site, { dev: true });
const server = createServer((request, response) => {
  const path = request.url ?? "";
  if (!path.startsWith(BASE)) return response.writeHead(404).end();
  if (path === `${BASE}recorder.js`) return response.setHeader("Content-Type", "text/javascript").end(recorder);
  if (path === BASE) {
    const html = readFileSync(`${site}/index.html`, "utf8").replace(
      "<title>",
      '<script src="./recorder.js"></script><title>',
    );
    return response.setHeader("Content-Type", "text/html").end(html);
  }
  request.url = path.slice(BASE.length - 1);
  files(request, response, () => response.writeHead(404).end());
}).listen(0, "127.0.0.1");

async function until(page: Page, expression: string, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await page.evaluate(expression))) {
    if (Date.now() > end) throw new Error(`after ${seconds} s still not: ${expression}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
const text = (id: string): string => `document.getElementById("${id}").textContent`;
const click = (page: Page, id: string): Promise<unknown> => page.evaluate(`document.getElementById("${id}").click()`);
const expect = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

async function check(page: Page, name: string): Promise<Record<string, string>> {
  await until(
    page,
    `document.documentElement.dataset.ready === "true" && ${text("learn-status")} === "Ready to train."`,
    30,
  );
  await click(page, "all");
  await page.evaluate(`document.getElementById("stage").scrollIntoView()`);
  if ((await page.evaluate(text("play"))) === "Play") await click(page, "play");
  const now = "[performance.now(), Number(document.getElementById('heads').dataset.frames)]";
  const [t0, f0] = (await page.evaluate(now)) as [number, number];
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const [t1, f1] = (await page.evaluate(now)) as [number, number];
  const fps = ((f1 - f0) / (t1 - t0)) * 1000;
  expect(fps > 30, `${fps.toFixed(0)} frames a second with all rules`);
  await click(page, "play");

  await click(page, "train");
  await until(page, `${text("learn-status")}.startsWith("Trained")`, 120);
  const accuracy = Number(await page.evaluate(`document.getElementById("accuracy").dataset.value`));
  expect(accuracy >= 0.95, `accuracy ${accuracy}`);
  await click(page, "example");
  await until(page, `${text("guess")}.endsWith(", rightly.")`, 5);
  const before = await page.evaluate(text("classes"));
  await click(page, "save");
  await until(page, "saved.length === 1", 5);
  await click(page, "restart");
  await until(page, `${text("classes")} !== ${JSON.stringify(before)}`, 5);
  await page.evaluate(`(() => {
    const files = new DataTransfer(); files.items.add(new File([saved[0]], "a.safetensors"));
    const input = document.getElementById("load"); input.files = files.files; input.dispatchEvent(new Event("change"));
  })()`);
  await until(page, `${text("learn-status")}.startsWith("Loaded")`, 10);
  await until(page, `${text("classes")} === ${JSON.stringify(before)}`, 5);

  await click(page, "measure");
  await until(page, `${text("speed-status")}.startsWith("gradstep steps")`, 60);
  const speed = (await page.evaluate(text("speed-status"))) as string;
  expect(Number.parseFloat(speed.replace(/\D+/, "")) > 1, speed);
  const hosts = (await page.evaluate(
    `performance.getEntriesByType("resource").map(({ name }) => new URL(name).host).filter((host) => host !== location.host)`,
  )) as string[];
  expect(hosts.length === 0, `requests to ${hosts.join(", ")}`);
  const faults = (await page.evaluate("faults")) as string[];
  expect(faults.length === 0, faults.join("; "));
  writeFileSync(`${out}/${name}.png`, await page.screenshot());
  return {
    fps: fps.toFixed(0),
    accuracy: accuracy.toFixed(4),
    "loaded again": "same",
    speed: speed.replace("gradstep steps ", ""),
  };
}

installBrowsers();
mkdirSync(out, { recursive: true });
if (!server.listening) await once(server, "listening");
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${BASE}`;
const only = process.argv.slice(2);
const table: Record<string, Record<string, string>> = {};
for (const [name, open] of Object.entries(browsers)) {
  if (only.length > 0 && !only.includes(name)) continue;
  try {
    const page = await open(url);
    try {
      table[name] = { result: "passed", ...(await check(page, name)) };
    } finally {
      await page.close();
    }
  } catch (error) {
    process.exitCode = 1;
    table[name] = { result: `failed: ${String(error)}` };
  }
}
server.close();
console.table(table);
