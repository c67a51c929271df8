// npm run bench:coldstart [-- workerd edge-runtime]: what import, compilation and a first step add to an empty script, in turns.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { installPackages } from "../test/platform/install.js";
import { median } from "./turns.js";

const ROUNDS = 20;
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gradstep-coldstart-"));

const firstStep = (shape: string): string => `
    import { AdamW, ParameterDict } from "gradstep";
    const params = new ParameterDict({ w: ${shape} });
    new AdamW(params).step();`;
/** By name; the larger tensor adds the time in which the system finds 1.6 MB for it. */
const scripts = {
  "an empty script": "",
  "import of an empty package": 'import "empty";',
  "import of gradstep": 'import "gradstep";',
  "a first step on 16 parameters": firstStep("[16]"),
  "a first step on 128 × 784": firstStep("[128, 784]"),
};

/** The parts of a first step within one process, in milliseconds. */
const parts = `
const spent = {};
const timed = (name, run) => {
  const start = performance.now();
  const value = run();
  spent[name] = performance.now() - start;
  return value;
};
const { Module } = WebAssembly;
const { from } = Buffer;
WebAssembly.Module = function (bytes) { return timed("compile", () => new Module(bytes)); };
Buffer.from = (text, encoding) => timed("decode", () => from(text, encoding));
const start = performance.now();
const { AdamW, ParameterDict } = await import("gradstep");
spent.import = performance.now() - start;
const params = timed("ParameterDict", () => new ParameterDict({ w: [16] }));
spent.ParameterDict -= spent.decode + spent.compile;
const optimizer = timed("AdamW", () => new AdamW(params));
timed("step", () => optimizer.step());
console.log(JSON.stringify(spent));`;
const PARTS = ["import", "decode", "compile", "ParameterDict", "AdamW", "step"];

function scriptFile(name: string, code: string): string {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, code);
  return file;
}

/** What a fresh Node prints. */
function printed(file: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** Measures each in turns, once more than counts: the first round fills the disk's cache. */
async function inTurns<T>(measures: readonly (() => T | Promise<T>)[], rounds: number): Promise<T[][]> {
  const taken = measures.map((): T[] => []);
  for (let round = 0; round <= rounds; round++)
    for (const [k, measure] of measures.entries()) {
      const value = await measure();
      if (round > 0) taken[k].push(value);
    }
  return taken;
}

const differences = (some: readonly number[], others: readonly number[]): number =>
  median(some.map((x, i) => x - others[i]));
const ms = (time: number): string => `${time.toFixed(1)} ms`;

async function node(): Promise<void> {
  mkdirSync(join(folder, "node_modules/empty"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules/gradstep"));
  writeFileSync(join(folder, "node_modules/empty/package.json"), '{ "type": "module", "exports": "./index.js" }');
  writeFileSync(join(folder, "node_modules/empty/index.js"), "");
  const cpu =
    'process.on("exit", () => { const { user, system } = process.cpuUsage(); console.log((user + system) / 1000); });';
  const measures = Object.values(scripts).map((code, i) => {
    const file = scriptFile(`script-${i}`, `${code}\n${cpu}`);
    return () => {
      const start = performance.now();
      const used = Number(printed(file));
      return { wall: performance.now() - start, cpu: used };
    };
  });
  const times = await inTurns(measures, ROUNDS);
  const [empty] = times;
  Object.keys(scripts).forEach((name, k) => {
    const wall = times[k].map((time) => time.wall);
    const added = differences(
      wall,
      empty.map((time) => time.wall),
    );
    const work = differences(
      times[k].map((time) => time.cpu),
      empty.map((time) => time.cpu),
    );
    console.log(
      `${name}: ${ms(median(wall))}, ${ms(added)} more than an empty one, ${ms(work)} of the processor's time`,
    );
  });
  const partsFile = scriptFile("parts", parts);
  const [spent] = await inTurns([() => JSON.parse(printed(partsFile)) as Record<string, number>], ROUNDS);
  console.log(`  its parts: ${PARTS.map((part) => `${part} ${ms(median(spent.map((one) => one[part])))}`).join(", ")}`);
}

/** Bundles a script as a host's own tools do. The binary is a module that the host has compiled. */
async function bundled(code: string, condition: string, wasm: "external" | "global"): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: wasm === "external" ? "esm" : "iife",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: [condition],
    plugins: [
      {
        name: "binary",
        setup(bundler) {
          bundler.onResolve({ filter: /\.wasm(\?module)?$/ }, () =>
            wasm === "external" ? { path: "./kernels.wasm", external: true } : { path: "wasm", namespace: "global" },
          );
          bundler.onLoad({ filter: /./, namespace: "global" }, () => ({ contents: "export default kernelsModule;" }));
        },
      },
    ],
  });
  return outputFiles[0].text;
}

const toolOf = (name: string): string =>
  createRequire(new URL("../test/platform/package.json", import.meta.url)).resolve(name);
const binary = join(root, "dist/kernels.wasm");

/** From the start of workerd to the first answer: its clock stands still while a Worker runs. */
async function workerd(): Promise<void> {
  const { Miniflare } = (await import(pathToFileURL(toolOf("miniflare")).href)) as {
    Miniflare: new (options: object) => { dispatchFetch(url: string): Promise<Response>; dispose(): Promise<void> };
  };
  const answer = `export default { fetch: () => new Response("done") };`;
  const sources = [answer, `${await bundled(firstStep("[16]"), "workerd", "external")}\n${answer}`];
  const measures = sources.map((contents) => async () => {
    const start = performance.now();
    const miniflare = new Miniflare({
      compatibilityDate: "2026-04-01",
      modules: [
        { type: "ESModule", path: "main.mjs", contents },
        { type: "CompiledWasm", path: "kernels.wasm", contents: readFileSync(binary) },
      ],
    });
    const response = await miniflare.dispatchFetch("http://localhost/");
    if ((await response.text()) !== "done") throw new Error("the Worker did not answer");
    const time = performance.now() - start;
    await miniflare.dispose();
    return time;
  });
  const [empty, step] = await inTurns(measures, ROUNDS);
  console.log(
    `workerd: start and first answer ${ms(median(empty))}, with a first step ${ms(differences(step, empty))} more`,
  );
}

/** Evaluates the bundle in a fresh edge runtime, whose module the host has compiled before. */
async function edgeRuntime(): Promise<void> {
  const code = await bundled(firstStep("[16]"), "edge-light", "global");
  const file = scriptFile(
    "edge-runtime",
    `import { readFileSync } from "node:fs";
     import { createRequire } from "node:module";
     const { EdgeRuntime } = createRequire(import.meta.url)(${JSON.stringify(toolOf("edge-runtime"))});
     const kernelsModule = new WebAssembly.Module(readFileSync(${JSON.stringify(binary)}));
     const runtime = new EdgeRuntime({ extend: (context) => Object.assign(context, { kernelsModule }) });
     const start = performance.now();
     runtime.evaluate(${JSON.stringify(code)});
     console.log(performance.now() - start);`,
  );
  const [times] = await inTurns([() => Number(printed(file))], ROUNDS);
  console.log(`edge-runtime: the script and its first step take ${ms(median(times))}`);
}

const others: Record<string, () => Promise<void>> = { workerd, "edge-runtime": edgeRuntime };
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in others));
try {
  if (unknown !== undefined)
    throw new RangeError(
      `unknown runtime "${unknown}"; Node is measured always, and ${Object.keys(others).join(" and ")}`,
    );
  await node();
  if (wanted.length > 0) installPackages(wanted);
  for (const name of wanted) await others[name]();
  console.log(`medians of ${ROUNDS}, differences by pairs`);
} finally {
  rmSync(folder, { recursive: true });
}
