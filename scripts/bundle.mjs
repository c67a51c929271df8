// Makes dist/node/ from dist/, for the "node" condition: one file a subpath, and what subpaths share in chunks, since
// Node loads few files sooner than many. Bundlers take the single modules (the "module" condition): they
// leave out the rules that a program does not use.
import { build } from "esbuild";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { exports, dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));

rmSync("dist/node", { recursive: true, force: true });
const common = {
  outdir: "dist/node",
  outbase: "dist",
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  external: Object.keys({ ...dependencies, ...peerDependencies }),
  logLevel: "warning",
};
const entryPoints = Object.values(exports)
  .filter((target) => target.node !== undefined)
  .map((target) => target.default);
await build({ ...common, entryPoints, chunkNames: "chunks/[hash]", splitting: true });
// By itself: what starts it must stay in the file that it looks for it beside.
await build({ ...common, entryPoints: ["dist/threads/worker.js"] });
