// gradstep/standalone in Chromium: a page and one file beside it, from a plain file server.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";

const file = fileURLToPath(new URL("../../../dist/standalone/gradstep.js", import.meta.url));
const page = `<!doctype html><meta charset="utf-8"><title>…</title>
<script type="module">
  import { AdamW, MLP, ParameterDict, StepLR, load, save } from "./gradstep.js";

  const params = new ParameterDict({ w: [3] });
  const optimizer = new AdamW(params, { lr: 0.1 });
  params.grad.w.fill(1);
  optimizer.step();
  new StepLR(optimizer, { stepSize: 1, gamma: 0.5 }).step();
  load(save(params), params);
  const mlp = new MLP([2, 3, 1], { loss: "mse" });
  const loss = mlp.trainBatch(new Float32Array([1, 2]), new Float32Array([1]));
  document.title = [params.data.w[2], optimizer.paramGroups[0].lr, AdamW.name, Number.isFinite(loss)].join(" ");
</script>`;

test("a page without a bundler imports it and steps, with no other request", async () => {
  const asked = [];
  const server = createServer(({ url }, response) => {
    asked.push(url);
    const types = { "/": "text/html; charset=utf-8", "/gradstep.js": "text/javascript" };
    response.writeHead(url in types ? 200 : 204, { "content-type": types[url] ?? "text/plain" });
    response.end({ "/": page, "/gradstep.js": readFileSync(file) }[url]);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const args = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args, chromiumSandbox: false });
  try {
    const tab = await browser.newPage();
    const faults = [];
    tab.on("pageerror", (error) => faults.push(String(error)));
    await tab.goto(`http://127.0.0.1:${server.address().port}/`);
    await tab.waitForFunction("document.title !== '…'", undefined, { timeout: 5000 }).catch(() => undefined);
    expect(faults).toEqual([]);
    expect(await tab.title()).toBe("-0.10000000149011612 0.05 AdamW true");
    expect(asked.filter((url) => url !== "/favicon.ico")).toEqual(["/", "/gradstep.js"]);
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
});
