import { mkdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type Plugin, build } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));
const out = `${root}out/platform/`;

export interface BundleOptions {
  entry: "cli" | "page" | "worker";
  format: "esm" | "iife";
  /** Of the package's "imports": which way to the binary. */
  conditions?: string[];
  /** What an import of a .wasm file is: a module beside the bundle, or a global variable, by the file's name. */
  wasm?: "external" | { globals: Readonly<Record<string, string>> };
  /** A module to run first. */
  first?: string;
}

/** Tests import the sources; here they get the package as it is built, conditions and all. */
const published: Plugin = {
  name: "published",
  setup(bundler) {
    bundler.onResolve({ filter: /^(\.\.\/)+src\/.*\.js$/ }, ({ path }) => ({
      path: `${root}dist/${path.replace(/^(\.\.\/)+src\//, "")}`,
    }));
  },
};

const text: Plugin = {
  name: "text",
  setup(bundler) {
    bundler.onResolve({ filter: /\?text$/ }, ({ path, resolveDir }) => ({
      path: fileURLToPath(new URL(path.replace("?text", ""), `file://${resolveDir}/`)),
      namespace: "text",
    }));
    bundler.onLoad({ filter: /./, namespace: "text" }, ({ path }) => ({
      contents: path.endsWith(".gz") ? gunzipSync(readFileSync(path)) : readFileSync(path),
      loader: "text",
    }));
  },
};

const binary = (wasm: BundleOptions["wasm"]): Plugin => ({
  name: "binary",
  setup(bundler) {
    bundler.onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path }) => {
      const file = basename(path).replace(/\?.*/, "");
      return typeof wasm === "object"
        ? { path: wasm.globals[file], namespace: "global" }
        : { path: `./${file}`, external: true };
    });
    bundler.onLoad({ filter: /./, namespace: "global" }, ({ path }) => ({
      contents: `export default globalThis.${path};`,
    }));
  },
});

/** Bundles the suite for a runtime and returns the file. */
export async function bundle(runtime: string, options: BundleOptions): Promise<string> {
  mkdirSync(out, { recursive: true });
  const outfile = `${out}${runtime}.${options.format === "esm" ? "mjs" : "js"}`;
  await build({
    entryPoints: [fileURLToPath(new URL(`entries/${options.entry}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    format: options.format,
    platform: "neutral",
    target: "es2022",
    mainFields: ["module", "main"],
    conditions: options.conditions ?? [],
    inject: options.first === undefined ? [] : [options.first],
    plugins: [published, text, binary(options.wasm)],
    logLevel: "warning",
  });
  return outfile;
}
