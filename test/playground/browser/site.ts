// The built page under a path of a web server, with a script before its own that notes what happens.
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { transformSync } from "esbuild";
import sirv from "sirv";

const root = fileURLToPath(new URL("../../../dist-site", import.meta.url));
const BASE = "/some/where/";
const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8" } as const;

export interface Site {
  readonly url: string;
  /** The same server under another name. */
  readonly otherHost: string;
  /** Requests that it could not answer, and those to its other name. */
  readonly faults: readonly string[];
  /** How many bytes of the page's files have been asked for, gzipped. */
  loaded(): number;
  close(): void;
}

/** With `isolated`, the page may use threads, where the browser has them. */
export async function serveSite(isolated: boolean): Promise<Site> {
  const faults: string[] = [];
  const asked = new Set<string>();
  const files = sirv(root, { dev: true });
  const page = readFileSync(`${root}/index.html`, "utf8").replace(
    "<title>",
    '<script src="./probe.js"></script><title>',
  );
  const own: Readonly<Record<string, readonly [keyof typeof TYPES, string]>> = {
    "": ["html", page],
    "frame.html": ["html", frame],
    "probe.js": ["js", compile("./probe.ts")],
    "axe.js": ["js", readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8")],
  };
  const server = createServer((request, response) => {
    const { url = "", headers } = request;
    if (isolated)
      response
        .setHeader("Cross-Origin-Opener-Policy", "same-origin")
        .setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const miss = (): void => {
      faults.push(`404 for ${url}`);
      response.writeHead(404).end();
    };
    if (headers.host !== `127.0.0.1:${port}`) faults.push(`a request to ${headers.host}`);
    const [name] = url.slice(BASE.length).split("?");
    request.url = `/${name}`;
    if (existsSync(join(root, name))) asked.add(name === "" ? "index.html" : name);
    if (!url.startsWith(BASE)) miss();
    else if (Object.hasOwn(own, name)) send(response, ...own[name]);
    else files(request, response, miss);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${BASE}`,
    otherHost: `http://localhost:${port}${BASE}`,
    faults,
    loaded: () => [...asked].reduce((sum, name) => sum + gzipSync(readFileSync(join(root, name))).length, 0),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function send(response: ServerResponse, type: keyof typeof TYPES, text: string): void {
  response.setHeader("Content-Type", TYPES[type]).end(text);
}

const compile = (file: string): string =>
  transformSync(readFileSync(new URL(file, import.meta.url), "utf8"), { loader: "ts", format: "iife" }).code;

/** The page in a frame of the size that is asked for: some browsers have no window so narrow. */
const frame = `<!doctype html><title>frame</title><link rel="icon" href="data:,"><style>body { margin: 0 } iframe { border: 0; display: block }</style>
<script>
  const [width, height] = location.search.slice(1).split("x");
  document.write(\`<iframe src="./" width="\${width}" height="\${height}"></iframe>\`);
</script>`;
