import { readFileSync } from "node:fs";
import { Miniflare } from "miniflare";

export const run = async ({ bundle, installed, wasm }) => {
  const script = await bundle({
    entry: "worker",
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    wasm: "external",
  });
  const miniflare = new Miniflare({
    compatibilityDate: "2026-04-01",
    modules: [
      { type: "ESModule", path: "suite.mjs", contents: readFileSync(script, "utf8") },
      ...Object.entries(wasm).map(([path, file]) => ({ type: "CompiledWasm", path, contents: readFileSync(file) })),
    ],
  });
  try {
    const response = await miniflare.dispatchFetch("http://localhost/");
    if (!response.ok) throw new Error(await response.text());
    const { version } = JSON.parse(readFileSync(installed("workerd/package.json"), "utf8"));
    return { version, result: await response.json() };
  } finally {
    await miniflare.dispose();
  }
};
