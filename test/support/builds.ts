import { readFileSync } from "node:fs";

/** The two binaries that the build makes: the debug one keeps asserts and is not optimised. */
export const builds = ["release", "debug"].map((build) => {
  const file = build === "release" ? "kernels.wasm" : "kernels.debug.wasm";
  return { build, module: new WebAssembly.Module(readFileSync(new URL(`../../build/${file}`, import.meta.url))) };
});
