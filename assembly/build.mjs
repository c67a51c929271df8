// Builds the kernels if their sources have changed: the release and the debug binary, the one for shared memory, and the
// TypeScript modules in src/wasm/generated/: bytes.ts and shared.ts (the binaries), kernels.ts (the types of the exports)
// and layout/ (the constants of assembly/layout/).
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateLayout } from "./layout/generate.mjs";
import { encode } from "./text.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const outputs = [
  "build/kernels.wasm",
  "build/kernels.debug.wasm",
  "build/shared.wasm",
  "dist/kernels.wasm",
  "dist/kernels.wasm.d.ts",
  "src/wasm/generated/bytes.ts",
  "src/wasm/generated/kernels.ts",
  "src/wasm/generated/shared.ts",
];
const sources = readdirSync("assembly", { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));
sources.push("asconfig.json", createRequire(import.meta.url).resolve("assemblyscript/package.json"));

await generateLayout();

const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (Math.min(...outputs.map(modified)) < Math.max(...sources.map(modified))) await build();
// tsc runs next and trusts its record of what it has built, which is wrong if dist/ has been removed.
if (modified("dist/index.js") === 0) rmSync("build/tsc.tsbuildinfo", { force: true });

async function build() {
  for (const folder of ["build", "dist", "src/wasm/generated"]) mkdirSync(folder, { recursive: true });
  await compile("--target", "debug");
  await compile("--target", "shared", "--enable", "threads");
  await compile("--target", "release", "--bindings", "raw");

  const banner = "// Generated from assembly/ by assembly/build.mjs: do not edit.\n";
  const bytes = readFileSync("build/kernels.wasm");
  const inlined = (binary) => `${banner}export const text: string =
  "${encode(binary)}";
`;
  writeFileSync("src/wasm/generated/bytes.ts", inlined(bytes));
  writeFileSync("src/wasm/generated/shared.ts", inlined(readFileSync("build/shared.wasm")));

  const signatures = readFileSync("build/kernels.d.ts", "utf8").matchAll(/export function (\w+)\((.*)\): (\w+);/g);
  const doc = (name) =>
    `  /** \`${name}\`: for its operations and arguments see the file that assembly/index.ts exports it from. */\n`;
  const members = Array.from(
    signatures,
    ([, name, args, result]) =>
      `${doc(name)}  ${name}(${["this: void", args].filter(Boolean).join(", ")}): ${result};\n`,
  ).join("");
  writeFileSync(
    "src/wasm/generated/kernels.ts",
    `${banner}/** The binary's exports. They check nothing: see \`instantiate\`. */\nexport interface Kernels {\n${members}}\n`,
  );

  writeFileSync("dist/kernels.wasm", bytes);
  writeFileSync(
    "dist/kernels.wasm.d.ts",
    `${banner}/** The kernels as a \`WebAssembly.Module\` for the \`module\` option, on hosts that import \`.wasm\` files as modules. */
declare const module: object;
export default module;
`,
  );
}

async function compile(...options) {
  const { main } = await import("assemblyscript/asc");
  const { error, stderr } = await main(["--config", "asconfig.json", ...options]);
  if (!error) return;
  process.stderr.write(`${stderr.toString()}${error.message}\n`);
  process.exit(1);
}
