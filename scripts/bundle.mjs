// Makes dist/node/ from dist/, for the "node" condition: one file a subpath, and what subpaths share in chunks, since
// Node loads few files sooner than many. Bundlers take the single modules (the "module" condition): they
// leave out the rules that a program does not use.
import { build } from "esbuild";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { exports, dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));

rmSync("dist/node", { recursive: true, force: true });
await build({
  entryPoints: Object.values(exports)
    .filter((target) => target.node !== undefined)
    .map((target) => target.default)
    .concat("dist/threads/worker.js"), // which the threads look for beside themselves
  outdir: "dist/node",
  outbase: "dist",
  chunkNames: "chunks/[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  external: Object.keys({ ...dependencies, ...peerDependencies }),
  logLevel: "warning",
});
