import { readFileSync } from "node:fs";
import { EdgeRuntime } from "edge-runtime";

export const run = async ({ bundle, installed, wasm }) => {
  // As Vercel does: the file is compiled outside, and its module is a global variable inside.
  const script = await bundle({
    entry: "page",
    format: "iife",
    conditions: ["edge-light"],
    wasm: { global: "kernelsModule" },
  });
  const kernelsModule = new WebAssembly.Module(readFileSync(wasm));
  const runtime = new EdgeRuntime({ extend: (context) => Object.assign(context, { kernelsModule }) });
  runtime.evaluate(readFileSync(script, "utf8"));
  const { version } = JSON.parse(readFileSync(installed("edge-runtime/package.json"), "utf8"));
  return { version, result: JSON.parse(runtime.evaluate("JSON.stringify(result)")) };
};
