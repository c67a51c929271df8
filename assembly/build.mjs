// Builds the kernels if their sources have changed. There are four binaries, of the optimizers, of the networks, for
// TensorFlow.js and of distributed training, each as a release and a debug build, and for each the TypeScript modules in
// src/wasm/generated/: the binary as text and the types of its exports. layout/ there has the constants of assembly/layout/.
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateLayout } from "./layout/generate.mjs";
import { encode } from "./text.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/**
 * `base`: where a binary's constants lie in the first page, since the first two may be instantiated on one memory. Below
 * it nothing is written; assembly/layout/threads.ts begins at 16384. A `foreign` binary has none, since it runs on a memory of
 * somebody else. `passes`: those of Binaryen that asc leaves out. `reorder-locals` makes nn.wasm smaller by 70 bytes gzipped;
 * that of the optimizers would grow by 600.
 */
const binaries = [
  { name: "kernels", entry: "assembly/index.ts", base: 2048, passes: [], text: "bytes", types: "Kernels" },
  {
    name: "nn",
    entry: "assembly/nn/index.ts",
    base: 8192,
    passes: ["reorder-locals"],
    text: "nn-bytes",
    types: "NetworkKernels",
  },
  {
    name: "tfjs",
    entry: "assembly/tfjs/index.ts",
    base: 8192,
    foreign: true,
    passes: ["reorder-locals"],
    text: "tfjs-bytes",
    types: "TfjsKernels",
  },
  { name: "delta", entry: "assembly/delta.ts", base: 1024, passes: [], text: "delta-bytes", types: "DeltaKernels" },
];
/** Options by which users give the modules of the binaries that are exported. */
const options = { kernels: "module", nn: "nnModule" };
const outputs = binaries.flatMap(({ name, text }) => [
  `build/${name}.wasm`,
  `build/${name}.debug.wasm`,
  `dist/${name}.wasm`,
  ...(name in options ? [`dist/${name}.wasm.d.ts`] : []),
  `src/wasm/generated/${text}.ts`,
  `src/wasm/generated/${typesFile(name)}.ts`,
]);
const sources = readdirSync("assembly", { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));
sources.push("asconfig.json", createRequire(import.meta.url).resolve("assemblyscript/package.json"));

await generateLayout();

const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (Math.min(...outputs.map(modified)) < Math.max(...sources.map(modified)))
  for (const binary of binaries) await build(binary);
// tsc runs next and trusts its record of what it has built, which is wrong if dist/ has been removed.
if (modified("dist/index.js") === 0) rmSync("build/tsc.tsbuildinfo", { force: true });

function typesFile(name) {
  return name === "kernels" ? name : `${name}-kernels`;
}

async function build({ name, entry, base, foreign, passes, text, types }) {
  for (const folder of ["build", "dist", "src/wasm/generated"]) mkdirSync(folder, { recursive: true });
  const { checkForeign, compile } = await import("./compile.mjs"); // only now: it takes a quarter of a second
  const memory = ["--memoryBase", String(base)];
  await compile(entry, "--target", "debug", "--outFile", `build/${name}.debug.wasm`, ...memory);
  await compile(
    entry,
    "--target",
    "release",
    "--outFile",
    `build/${name}.wasm`,
    "--bindings",
    "raw",
    ...memory,
    ...passes.flatMap((pass) => ["--runPasses", pass]),
  );

  const banner = "// Generated from assembly/ by assembly/build.mjs: do not edit.\n";
  const bytes = readFileSync(`build/${name}.wasm`);
  if (foreign) checkForeign(name, bytes);
  writeFileSync(`src/wasm/generated/${text}.ts`, `${banner}export const text: string =\n  "${encode(bytes)}";\n`);

  const signatures = readFileSync(`build/${name}.d.ts`, "utf8").matchAll(/export function (\w+)\((.*)\): (\w+);/g);
  const doc = (kernel) =>
    `  /** \`${kernel}\`: for its operations and arguments see the file that ${entry} exports it from. */\n`;
  const members = Array.from(
    signatures,
    ([, kernel, args, result]) =>
      `${doc(kernel)}  ${kernel}(${["this: void", args].filter(Boolean).join(", ")}): ${result};\n`,
  ).join("");
  writeFileSync(
    `src/wasm/generated/${typesFile(name)}.ts`,
    `${banner}/** The exports of ${name}.wasm. They check nothing. */\nexport interface ${types} {\n${members}}\n`,
  );

  writeFileSync(`dist/${name}.wasm`, bytes);
  if (!(name in options)) return;
  writeFileSync(
    `dist/${name}.wasm.d.ts`,
    `${banner}/** ${name}.wasm as a \`WebAssembly.Module\` for the \`${options[name]}\` option, on hosts that import \`.wasm\` files as modules. */
declare const module: object;
export default module;
`,
  );
}
