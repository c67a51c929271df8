// "#tfjs-binary" for Cloudflare's workerd, which forbids compiling bytes and turns an imported .wasm file into a module.
import module from "../../../tfjs.wasm";

export const compile = (): WebAssembly.Module => module;
/** The same, since there are no threads. */
export const compileShared = compile;
