// One run by Node, Bun, Deno, Chromium and Firefox together, as far as they are there: the bits of Node alone.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { coordinate } from "../../src/distributed/index.js";
import { buildActor } from "./actors.js";
import { hashOf } from "./hash.js";
import { Server } from "./nats.js";
import { coordinatorOptions } from "./training.js";

const chromium = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const runtimes = "test/platform/runtimes";
/** What runs a worker: the binary, and its arguments before the program or the page. */
const workers: readonly { name: string; binary: string; args: (profile: string) => string[]; isBrowser: boolean }[] = [
  { name: "node", binary: process.execPath, args: () => [], isBrowser: false },
  { name: "bun", binary: process.env.BUN ?? `${runtimes}/bun/node_modules/.bin/bun`, args: () => [], isBrowser: false },
  {
    name: "deno",
    binary: process.env.DENO ?? `${runtimes}/deno/node_modules/.bin/deno`,
    args: () => ["run", "-A"],
    isBrowser: false,
  },
  {
    name: "chromium",
    binary: "/usr/bin/chromium",
    args: (profile) => [...chromium, `--user-data-dir=${profile}`],
    isBrowser: true,
  },
  {
    name: "firefox",
    binary: "/usr/bin/firefox",
    args: (profile) => ["--headless", "--no-remote", "--profile", profile],
    isBrowser: true,
  },
];
const present = workers.filter(({ binary }) => existsSync(binary));

let server: Server;
let folder: string;
beforeAll(async () => {
  server = await Server.start();
  folder = await buildActor();
});
afterAll(async () => {
  await server.end();
  rmSync(folder, { recursive: true, force: true });
});

/** A site with a page that starts the Web Worker; `told` gets what it posts. */
async function serve(told: (text: string) => void) {
  const { outputFiles } = await build({
    entryPoints: ["test/distributed/page-worker.ts"],
    bundle: true,
    write: false,
    format: "iife",
    external: ["crypto"],
    logLevel: "error",
  });
  const page = `<script>const worker = new Worker("/worker.js" + location.hash);
    const tell = (text) => fetch("/told", { method: "POST", body: text });
    worker.onmessage = ({ data }) => tell(data); worker.onerror = ({ message }) => tell(message)</script>`;
  const textOf = async (request: IncomingMessage): Promise<string> => {
    let text = "";
    for await (const part of request) text += String(part);
    return text;
  };
  const site = createServer((request, response) => {
    if (request.url === "/told") void textOf(request).then(told);
    const isScript = request.url === "/worker.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? outputFiles[0].text : page);
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  return { site, url: `http://127.0.0.1:${(site.address() as AddressInfo).port}/` };
}

async function conduct(run: string, chosen: typeof workers) {
  const told: string[] = [];
  const { site, url } = await serve((text) => void told.push(text));
  const profiles = chosen.map(() => mkdtempSync(join(tmpdir(), "gradstep-profile-")));
  const children = chosen.map(({ name, binary, args, isBrowser }, i) => {
    const page = `${url}#${encodeURIComponent(`ws://127.0.0.1:${server.webSocketPort} ${run} ${name}`)}`;
    const program = [join(folder, "actor.cjs"), "worker", server.url, run, JSON.stringify({ name, delay: 20 })];
    return spawn(binary, [...args(profiles[i]), ...(isBrowser ? [page] : program)], { stdio: "ignore" });
  });
  const nc = await server.connect();
  const options = coordinatorOptions(run, { replicas: 6, rounds: 400 });
  const seen = new Set<string>();
  const hashes: string[] = [];
  for await (const { workers } of coordinate(nc, options)) {
    for (const name of workers) seen.add(name);
    hashes.push(hashOf(options.params as never));
    // On, until all have taken part.
    if (hashes.length >= 20 && seen.size === chosen.length) break;
  }
  await nc.close();
  for (const child of children) child.kill("SIGKILL");
  for (const child of children)
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once("exit", resolve));
  site.close();
  for (const profile of profiles) rmSync(profile, { recursive: true, force: true, maxRetries: 20 });
  return { seen, hashes, told };
}

test(
  `${present.map(({ name }) => name).join(", ")} together: the bits of Node alone`,
  { timeout: 120_000 },
  async () => {
    expect(present.map(({ name }) => name)).toEqual(expect.arrayContaining(["node", "chromium"]));
    const together = await conduct("together", present);
    expect([...together.seen].sort(), together.told.join()).toEqual(present.map(({ name }) => name).sort());
    const alone = await conduct("node-alone", present.slice(0, 1));
    expect(together.hashes.slice(0, 20)).toEqual(alone.hashes.slice(0, 20));
  },
);
