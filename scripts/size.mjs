// npm run size: what an import costs, minified and gzipped. Prints a table, compares it with docs/performance.md's (which
// `npm run size -- --write` writes) and with the budgets, and checks that one rule brings nothing that it does not use.
import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const KB = 1024;
/** Imports, with the KB that they may weigh without the kernels' bytes (`without`), and with them (`all`). */
const imports = [
  {
    title: "`{ ParameterDict, SGD }`",
    code: 'export { ParameterDict, SGD } from "gradstep"',
    without: 16,
    all: 34,
    alone: true,
  },
  {
    title: "`{ ParameterDict, AdamW }`",
    code: 'export { ParameterDict, AdamW } from "gradstep"',
    without: 16,
    all: 34,
    alone: true,
  },
  { title: "all of `gradstep`", code: 'export * from "gradstep"' },
  { title: "`gradstep/nn`", code: 'export * from "gradstep/nn"' },
  {
    title: "`{ Network }` and three layers",
    code: 'export { Network, flatten, linear, relu } from "gradstep/nn"',
    without: 14,
  },
  { title: "`gradstep/schedule`", code: 'export * from "gradstep/schedule"' },
  { title: "`gradstep/checkpoint`", code: 'export * from "gradstep/checkpoint"' },
  { title: "`gradstep/threads`", code: 'export * from "gradstep/threads"' },
  {
    title: "`{ join }` of `gradstep/distributed`, NATS' client included",
    code: 'export { join } from "gradstep/distributed"; export { wsconnect } from "@nats-io/nats-core"',
    all: 75,
  },
  { title: "`gradstep/tfjs`", code: 'export * from "gradstep/tfjs"' },
  { title: "`gradstep/tfjs/wasm`", code: 'export * from "gradstep/tfjs/wasm"', all: 12 },
  { title: "`gradstep/kernels`", code: 'export * from "gradstep/kernels"' },
];
/** What one rule must not bring. */
const FOREIGN =
  /^dist\/(schedule|checkpoint|nn|tfjs|threads|distributed)\/|^dist\/rules\/(?!sgd\.js|adamw?\.js|cautious\.js)/;
const BINARY = /generated\/((nn|tfjs|delta)-)?bytes\.js$/;
const [BEGIN, END] = ["<!-- sizes -->", "<!-- /sizes -->"];

let passed = 0;
let failed = 0;
function check(what, holds) {
  if (holds) passed++;
  else {
    failed++;
    console.log(`FAILED: ${what}`);
  }
}

/** Bytes of the bundle, gzipped, and the modules in it; `binary` says whether the kernels' bytes are in it. */
async function measure(code, binary) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    mainFields: ["module", "main"],
    external: ["@tensorflow/tfjs-core", "node:*", "crypto"],
    logLevel: "error",
    plugins: binary ? [] : [empty],
  });
  const inputs = Object.entries(Object.values(metafile.outputs)[0].inputs);
  const modules = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([module]) => module);
  return { bytes: gzipSync(outputFiles[0].contents, { level: 9 }).length, modules };
}
const empty = {
  name: "empty",
  setup(bundler) {
    bundler.onLoad({ filter: BINARY }, () => ({ contents: 'export const text = "";' }));
  },
};

const inKB = (bytes) => `${(bytes / KB).toFixed(1)} KB`;
const rows = [];
for (const { title, code, without, all, alone } of imports) {
  const plain = await measure(code, false);
  const full = await measure(code, true);
  rows.push(`| ${title} | ${inKB(plain.bytes)} | ${inKB(full.bytes)} |`);
  if (without !== undefined)
    check(`${title} is ${inKB(plain.bytes)} without the kernels, ${without} KB allowed`, plain.bytes < without * KB);
  if (all !== undefined)
    check(`${title} is ${inKB(full.bytes)} with the kernels, ${all} KB allowed`, full.bytes < all * KB);
  if (!alone) continue;
  const foreign = plain.modules.filter((module) => FOREIGN.test(module));
  check(`${title} brings ${foreign.join(", ")}`, foreign.length === 0);
}
const table = `${BEGIN}\n| import | without the kernels | with them |\n|---|---|---|\n${rows.join("\n")}\n${END}`;
console.log(table);

const PAGE = "docs/performance.md";
const page = readFileSync(PAGE, "utf8");
const [from, to] = [page.indexOf(BEGIN), page.indexOf(END) + END.length];
if (process.argv.includes("--write")) writeFileSync(PAGE, page.slice(0, from) + table + page.slice(to));
else {
  // Another compiler's or compressor's version may weigh a little differently.
  const numbers = (text) => Array.from(text.matchAll(/([\d.]+) KB/g), ([, number]) => Number(number));
  const [written, measured] = [numbers(page.slice(from, to)), numbers(table)];
  const same = written.length === measured.length && measured.every((kb, i) => Math.abs(kb - written[i]) <= 0.2);
  check(`the table in ${PAGE} is another: npm run size -- --write`, same);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
