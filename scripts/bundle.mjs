// Makes dist/node/ from dist/, for the "node" condition: one file a subpath beside one that has all that `gradstep`
// itself needs, since Node loads few files sooner than many. Bundlers take the single modules (the "module" condition): they
// leave out the rules that a program does not use. Node prints the line that an uncaught error was thrown in, so lines stay
// short, and the binaries' text, which is one long line, stands in files of its own that throw nothing.
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { exports, dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const external = [/^node:/, ...Object.keys({ ...dependencies, ...peerDependencies })];

/** Binaries as text that Node itself decodes, in a tenth of the time that src/wasm/text.ts takes when it runs for the first time. */
const base64 = {
  name: "base64",
  load(id) {
    const [, binary] = /wasm\/generated\/(bytes|shared)\.js$/.exec(id) ?? [];
    if (binary !== undefined) {
      const bytes = readFileSync(binary === "shared" ? "build/shared.wasm" : "build/kernels.wasm");
      return `export const text = "${bytes.toString("base64")}";`;
    }
    if (!id.endsWith("wasm/text.js")) return null;
    return `export const decode = (text) =>
      globalThis.Buffer?.from(text, "base64") ?? Uint8Array.from(atob(text), (character) => character.charCodeAt(0));`;
  },
};

/** Breaks the lists of imports and exports, which are as long as the package has names. */
const lists = {
  name: "lists",
  generateBundle(_, files) {
    for (const file of Object.values(files))
      file.code = file.code.replace(/^(?:import|export) \{.*$/gm, (list) => list.replaceAll(", ", ",\n"));
  },
};

/** The modules that `gradstep` itself is made of. */
const core = new Set();
await bundle({
  input: "dist/index.js",
  plugins: [{ name: "core", moduleParsed: ({ id }) => void core.add(id) }],
}).then((made) => made.generate());
core.delete(fileURLToPath(new URL("../dist/index.js", import.meta.url)));

const minify = { mangle: false, compress: { sequences: false, joinVars: false }, codegen: { removeWhitespace: false } };
const output = { dir: "dist/node", format: "esm", comments: false, minify };
rmSync("dist/node", { recursive: true, force: true });
const inputs = Object.values(exports).filter((target) => target.node !== undefined);
const subpaths = await bundle({
  input: Object.fromEntries(
    inputs.map((target) => [target.default.slice("./dist/".length, -".js".length), target.default]),
  ),
});
const binary = (name, file) => ({ name, test: new RegExp(`wasm/generated/${file}\\.js$`), priority: 1 });
await subpaths.write({
  ...output,
  chunkFileNames: "chunks/[name].js",
  codeSplitting: {
    groups: [
      binary("binary", "bytes"),
      binary("shared-binary", "shared"),
      { name: "core", test: (id) => core.has(id) },
    ],
  },
});
// By itself: what starts it must stay in the file that it looks for it beside.
const worker = await bundle({ input: { "threads/worker": "dist/threads/worker.js" } });
await worker.write(output);

function bundle(options) {
  return rolldown({ platform: "neutral", external, plugins: [base64, lists], ...options });
}
