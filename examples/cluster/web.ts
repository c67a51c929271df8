// Serves the page, the images that its worker trains on, what happens in the cluster, and takes what the page asks for.
import { createReadStream, readFileSync, readdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Plugin, type ViteDevServer, createServer } from "vite";
import { mnistDirectory } from "../mnist/idx.ts";
import type { Cluster } from "./cluster.ts";
import type { Command, Update } from "./state.ts";

/** The page is told at most so often, milliseconds. */
const PAUSE = 200;
const MOST_BYTES = 1000;

const icon = `data:image/svg+xml;base64,${readFileSync(new URL("../playground/icon.svg", import.meta.url), "base64")}`;
const root = fileURLToPath(new URL("../..", import.meta.url));

export class Web {
  #server!: ViteDevServer;
  #cluster: Cluster | undefined;

  /** Starts to serve. `host`: the address to listen at. */
  static async start(host: string | undefined): Promise<Web> {
    const web = new Web();
    web.#server = await createServer({
      configFile: false,
      root: fileURLToPath(new URL("./page", import.meta.url)),
      logLevel: "error",
      clearScreen: false,
      plugins: [web.#plugin()],
      worker: { format: "es" },
      optimizeDeps: { include: ["@nats-io/nats-core", "uplot"] },
      server: { host: host ?? "127.0.0.1", port: 5173, fs: { allow: [root] }, ws: false, hmr: false, watch: null },
    });
    await web.#server.listen();
    return web;
  }

  /** Where the page is, on this machine and for others. */
  get urls(): { local: string; network: readonly string[] } {
    const { local = [], network = [] } = this.#server.resolvedUrls ?? {};
    return { local: local[0] ?? network[0], network };
  }

  /** What browsers call the pages' origin. */
  get origins(): readonly string[] {
    const { local, network } = this.urls;
    const { port } = new URL(local);
    const here = ["localhost", "127.0.0.1"].map((host) => `http://${host}:${port}`);
    return [...new Set([...here, ...network.map((url) => new URL(url).origin)])];
  }

  /** Opens the page in the person's browser. */
  open(): void {
    this.#server.openBrowser();
  }

  show(cluster: Cluster): void {
    this.#cluster = cluster;
  }

  #plugin(): Plugin {
    return {
      name: "cluster",
      transformIndexHtml: {
        order: "post",
        // Vite's own script would connect to a server for reloading, which is off.
        handler: (html) => html.replace(/<script[^>]*"\/@vite\/client"[^>]*><\/script>/, "").replaceAll("%icon%", icon),
      },
      configureServer: ({ middlewares }) => {
        middlewares.use((request, response, next) => {
          const path = request.url ?? "";
          const file = /^\/data\/train-(images|labels)$/.exec(path)?.[1];
          if (file !== undefined) sendFile(file, response);
          else if (path === "/updates") this.#sendUpdates(response);
          else if (path === "/command" && request.method === "POST") void this.#take(request, response);
          else next();
        });
      },
    };
  }

  /** Sends updates as server-sent events. */
  #sendUpdates(response: ServerResponse): void {
    const cluster = this.#cluster;
    if (cluster === undefined) {
      response.writeHead(503).end();
      return;
    }
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    let sent = 0; // rounds that the page knows
    let timer: NodeJS.Timeout | undefined;
    const send = (): void => {
      timer = undefined;
      const update: Update = { state: cluster.state, points: cluster.points.filter(({ round }) => round > sent) };
      sent = cluster.points.at(-1)?.round ?? 0;
      response.write(`data: ${JSON.stringify(update)}\n\n`);
    };
    const view = {
      event: (): void => void (timer ??= setTimeout(send, PAUSE)),
      changed: (): void => void (timer ??= setTimeout(send, PAUSE)),
      round: ({ round }: { round: number }): void => {
        sent = Math.min(sent, round - 1); // of a coordinator that goes on from an earlier round
        timer ??= setTimeout(send, PAUSE);
      },
    };
    cluster.views.add(view);
    response.on("close", () => {
      clearTimeout(timer);
      cluster.views.delete(view);
    });
    send();
  }

  /** Does what the page asks for, and nothing that another site's page asks for. */
  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin, host } = request.headers;
    let text = "";
    for await (const part of request) if ((text += String(part)).length > MOST_BYTES) break;
    try {
      if (origin !== `http://${host}`) throw new Error("another origin");
      await this.#cluster?.do(JSON.parse(text) as Command);
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(400).end(String(error));
    }
  }
}

/** One of MNIST's training files, as it is. */
function sendFile(what: string, response: ServerResponse): void {
  const folder = mnistDirectory();
  const name = readdirSync(folder).find((file) => file.startsWith(`train-${what}`))!;
  response.writeHead(200, { "Content-Type": "application/octet-stream" });
  createReadStream(join(folder, name)).pipe(response);
}
