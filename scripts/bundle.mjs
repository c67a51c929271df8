// Makes dist/node/ from dist/, for the "node" condition: `gradstep` is one file with its binary, since each file takes Node
// as long as a first step, and the subpaths take what they share with it from there. Bundlers take the single modules (the
// "module" condition): they leave out the rules that a program does not use. Node prints the line that an uncaught error was
// thrown in, so lines stay short, except for the binaries' text, and functions and classes keep their names.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { parseAst } from "rolldown/parseAst";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { exports, dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const external = [/^node:/, ...Object.keys({ ...dependencies, ...peerDependencies })];

/** Binaries as text that Node itself decodes, in a tenth of the time that src/wasm/text.ts takes when it runs for the first time. */
const base64 = {
  name: "base64",
  load(id) {
    const binary = /wasm\/generated\/(?:(nn|tfjs|delta)-)?bytes\.js$/.exec(id);
    if (binary !== null) {
      const bytes = readFileSync(`build/${binary[1] ?? "kernels"}.wasm`);
      return `export const text = "${bytes.toString("base64")}";`;
    }
    if (!id.endsWith("wasm/text.js")) return null;
    return `export const decode = (text) =>
      globalThis.Buffer?.from(text, "base64") ?? Uint8Array.from(atob(text), (character) => character.charCodeAt(0));`;
  },
};

/**
 * Breaks the lists of imports and exports, which are as long as the package has names, and escapes what is not ASCII: one
 * such character makes V8 keep and read all of the file's text as two bytes a character.
 */
const text = {
  name: "text",
  generateBundle(_, files) {
    for (const file of Object.values(files))
      file.code = file.code
        .replace(/^(?:import|export|const) \{.*$/gm, (list) => list.replaceAll(/, ?/g, ",\n"))
        .replace(/[^\0-\x7f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
  },
};

/**
 * Puts the chunk that all share into the file of `gradstep`. What is not public there the other files find under a symbol.
 * An export would be seen by everybody, and a file of its own takes Node longer.
 */
const merged = {
  name: "merged",
  generateBundle(_, files) {
    const [index, core] = [files["index.js"], files["chunks/core.js"]];
    const key = 'Symbol.for("gradstep/internals")';
    /** Names and what they are called here: those of `gradstep`, and the others. */
    const parted = (list) => {
      const pairs = list.split(",").map((item) => item.trim().split(" as "));
      const isPublic = ([name, other = name]) => index.exports.includes(name) || index.exports.includes(other);
      return [pairs.filter(isPublic), pairs.filter((pair) => !isPublic(pair))];
    };
    const [exported, list] = /^export \{(.*)\};$/m.exec(core.code);
    const [own, internal] = parted(list);
    const shared = internal.map(([local, name = local]) => `${name}: ${local}`).join(",\n");
    index.code = core.code.replace(
      exported,
      `Object.defineProperty(Arena, ${key}, { value: {\n${shared}\n} });\nexport {${own.map((pair) => pair.join(" as "))}};`,
    );
    // Out of the line that compiles it, which can throw.
    const [binary] = /"[\w+/]{9999,}=*"/.exec(index.code);
    index.code = `${index.code.replace(binary, "BINARY")}const BINARY = ${binary};\n`;
    delete files["chunks/core.js"];
    for (const file of Object.values(files))
      file.code = file.code.replace(/^import \{(.*)\} from "[./]+(?:chunks\/)?core\.js";$/m, (_, names) => {
        const [own, internal] = parted(names);
        const imported = [["Arena", "core"], ...own].map((pair) => pair.join(" as "));
        const path = `${"../".repeat(file.fileName.split("/").length - 1) || "./"}index.js`;
        return `import {${imported}} from "${path}";\nconst {${internal.map((pair) => pair.join(": "))}} = core[${key}];`;
      });
  },
};

/** The modules that `gradstep` itself is made of. */
const core = new Set();
await bundle({
  input: "dist/index.js",
  plugins: [{ name: "core", moduleParsed: ({ id }) => void core.add(id) }],
}).then((made) => made.generate());
core.delete(fileURLToPath(new URL("../dist/index.js", import.meta.url)));

const minify = {
  mangle: { keepNames: true },
  compress: { sequences: false, joinVars: false, keepNames: { function: true, class: true } },
  codegen: { removeWhitespace: false },
};
const output = { dir: "dist/node", format: "esm", comments: false, minify, minifyInternalExports: false };
rmSync("dist/node", { recursive: true, force: true });
const inputs = Object.values(exports).filter((target) => target.node !== undefined);
const subpaths = await bundle({
  input: Object.fromEntries(
    inputs.map((target) => [target.default.slice("./dist/".length, -".js".length), target.default]),
  ),
  plugins: [base64, merged, text],
});
await subpaths.write({
  ...output,
  chunkFileNames: "chunks/[name].js",
  codeSplitting: {
    groups: [
      { name: "nn-binary", test: /wasm\/generated\/nn-bytes\.js$/, priority: 1 },
      { name: "tfjs-binary", test: /wasm\/generated\/tfjs-bytes\.js$/, priority: 1 },
      { name: "delta-binary", test: /wasm\/generated\/delta-bytes\.js$/, priority: 1 },
      { name: "core", test: (id) => core.has(id) },
    ],
  },
});
// By itself: what starts it must stay in the file that it looks for it beside.
const worker = await bundle({ input: { "threads/worker": "dist/threads/worker.js" } });
await worker.write(output);

// For pages, which load it as it is: the binary is in the text that gzip takes best, and a statement is a line.
const mangled = { keepNames: { function: false, class: true } };
const standalone = await rolldown({ input: "dist/standalone/index.js", platform: "neutral", plugins: [text] });
const [{ code }] = (
  await standalone.generate({
    comments: false,
    minify: { mangle: { toplevel: true, ...mangled }, compress: mangled, codegen: true },
  })
).output;
const statements = parseAst(code).body.map(({ start, end }) => code.slice(start, end));
writeFileSync("dist/standalone/gradstep.js", statements.join("\n"));

// A classic script for pages on which TensorFlow.js is the global `tf`.
const script = await rolldown({ input: "dist/tfjs/wasm/index.js", platform: "neutral", external, plugins: [text] });
await script.write({
  file: "dist/standalone/tfjs-wasm.js",
  format: "iife",
  name: "gradstepTfjsWasm",
  globals: { "@tensorflow/tfjs-core": "tf" },
  comments: false,
  minify: { mangle: mangled, compress: mangled, codegen: { removeWhitespace: false } },
});

function bundle(options) {
  return rolldown({ platform: "neutral", external, plugins: [base64, text], ...options });
}
