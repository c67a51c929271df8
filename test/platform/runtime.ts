import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type BundleOptions, bundle } from "./bundle.js";
import type { Result } from "./suite/index.js";

/** What a runtime's run.mjs exports: bundles the suite, runs it and returns what came. */
export type Run = (tools: Tools) => Promise<{ version: string; result: Result }>;

export interface Tools {
  bundle(options: BundleOptions): Promise<string>;
  /** The path of a file in an installed package. */
  installed(file: string): string;
  /** The paths of the binaries, by file name. */
  wasm: Readonly<Record<string, string>>;
  /** What a command prints; its error has what it printed there. */
  output(command: string, ...args: string[]): Promise<string>;
  /** The result that a command prints last. */
  printed(command: string, ...args: string[]): Promise<Result>;
  /** Serves a page that runs a script under a strict policy, while it is looked at. */
  withPage<T>(script: string, look: (url: string) => Promise<T>): Promise<T>;
}

const TIMEOUT = 180_000;
const PAGE = `<!doctype html><meta charset="utf-8"><title>gradstep</title><script src="suite.js"></script>`;

export function toolsFor(runtime: string): Tools {
  const output: Tools["output"] = async (command, ...args) => {
    const { stdout } = await promisify(execFile)(command, args, { timeout: TIMEOUT, maxBuffer: 2 ** 26 });
    return stdout.trim();
  };
  return {
    bundle: (options) => bundle(runtime, options),
    installed: (file) => fileURLToPath(new URL(`node_modules/${file}`, import.meta.url)),
    wasm: Object.fromEntries(
      ["kernels.wasm", "nn.wasm", "delta.wasm"].map((file) => [
        file,
        fileURLToPath(new URL(`../../dist/${file}`, import.meta.url)),
      ]),
    ),
    output,
    printed: async (command, ...args) =>
      JSON.parse((await output(command, ...args)).split("\n").at(-1) ?? "") as Result,
    withPage,
  };
}

async function withPage<T>(script: string, look: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    const isScript = request.url === "/suite.js";
    response.writeHead(request.url === "/favicon.ico" ? 204 : 200, {
      "content-type": isScript ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
    });
    response.end(isScript ? readFileSync(script) : request.url === "/" ? PAGE : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the server has no port");
    return await look(`http://127.0.0.1:${address.port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
