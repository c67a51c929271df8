// Compiles both builds of the kernels for tests that run over each.
import { readFileSync } from "node:fs";

/** The release and debug binaries; the debug one keeps asserts and is not optimized. */
export const builds = ["release", "debug"].map((build) => {
  const compiled = (name: string): WebAssembly.Module => {
    const file = build === "release" ? `${name}.wasm` : `${name}.debug.wasm`;
    return new WebAssembly.Module(readFileSync(new URL(`../../build/${file}`, import.meta.url)));
  };
  return { build, module: compiled("kernels"), nnModule: compiled("nn") };
});
