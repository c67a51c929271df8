// "#delta-binary" for Cloudflare's workerd, which forbids compiling bytes and turns an imported .wasm file into a module.
import module from "../../delta.wasm";

export const compile = (): WebAssembly.Module => module;
