// The built site under a path of a web server, with scripts before each page's own that look at it.
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { axe, compile, sirv } from "../playground/browser/libraries.ts";

const root = fileURLToPath(new URL("../../out/site", import.meta.url));
const BASE = "/some/where/";
/** Whatever a page asks another host for is refused, and the page is told. */
const POLICY = [
  "default-src 'self' data: blob:",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
  "style-src 'self' 'unsafe-inline'",
].join("; ");

export interface Site {
  readonly url: string;
  /** Requests that it could not answer. */
  readonly faults: readonly string[];
  close(): void;
}

export async function serveSite(): Promise<Site> {
  const faults: string[] = [];
  const files = sirv(root, { dev: true });
  const scripts = new Map([
    ["probe.js", compile(new URL("../playground/browser/probe.ts", import.meta.url))],
    ["look.js", compile(new URL("./look.ts", import.meta.url))],
    ["axe.js", axe()],
  ]);
  const server = createServer((request, response) => {
    const [path] = (request.url ?? "").split("?");
    const name = decodeURIComponent(path.slice(BASE.length)).replace(/^$|\/$/, "$&index.html");
    const script = scripts.get(path.slice(path.lastIndexOf("/") + 1));
    response.setHeader("Content-Security-Policy", POLICY);
    request.url = `/${name}`;
    const send = (type: string, text: string): void =>
      void response.setHeader("Content-Type", `text/${type}; charset=utf-8`).end(text);
    if (!path.startsWith(BASE)) miss();
    else if (script !== undefined) send("javascript", script);
    else if (name === "frame.html") send("html", frame);
    else if (name.endsWith(".html") && existsSync(`${root}/${name}`)) send("html", observed(name));
    else files(request, response, miss);

    function miss(): void {
      faults.push(`404 for ${path}`);
      response.writeHead(404).end();
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${BASE}`,
    faults,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const observed = (name: string): string =>
  readFileSync(`${root}/${name}`, "utf8").replace(
    /<head>|<meta charset="utf-?8" ?\/?>/i,
    '$&<script src="./probe.js"></script><script src="./look.js"></script>',
  );

/** A page in a frame of the size that is asked for: some browsers have no window so narrow. */
const frame = `<!doctype html><title>frame</title><link rel="icon" href="data:,"><style>body { margin: 0 } iframe { border: 0; display: block }</style>
<script>
  const [width, height] = location.search.slice(1).split("x");
  document.write(\`<iframe src="./" width="\${width}" height="\${height}"></iframe>\`);
</script>`;
