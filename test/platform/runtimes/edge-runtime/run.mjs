import { readFileSync } from "node:fs";
import { EdgeRuntime } from "edge-runtime";

export const run = async ({ bundle, installed, wasm }) => {
  // As Vercel does: the files are compiled outside, and their modules are global variables inside.
  const script = await bundle({
    entry: "page",
    format: "iife",
    conditions: ["edge-light"],
    wasm: { globals: { "kernels.wasm": "kernelsModule", "nn.wasm": "nnModule", "delta.wasm": "deltaModule" } },
  });
  const [kernelsModule, nnModule, deltaModule] = ["kernels.wasm", "nn.wasm", "delta.wasm"].map(
    (file) => new WebAssembly.Module(readFileSync(wasm[file])),
  );
  const runtime = new EdgeRuntime({
    extend: (context) => Object.assign(context, { kernelsModule, nnModule, deltaModule }),
  });
  runtime.evaluate(readFileSync(script, "utf8"));
  const { version } = JSON.parse(readFileSync(installed("edge-runtime/package.json"), "utf8"));
  return { version, result: JSON.parse(runtime.evaluate("JSON.stringify(result)")) };
};
