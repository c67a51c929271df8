// Compiles both builds of the kernels for tests that run over each.
import { readFileSync } from "node:fs";

/** The release and debug binaries; the debug one keeps asserts and is not optimized. */
export const builds = ["release", "debug"].map((build) => {
  const file = build === "release" ? "kernels.wasm" : "kernels.debug.wasm";
  return { build, module: new WebAssembly.Module(readFileSync(new URL(`../../build/${file}`, import.meta.url))) };
});
