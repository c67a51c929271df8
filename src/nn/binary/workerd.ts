// "#nn-binary" for Cloudflare's workerd, which forbids compiling bytes and turns an imported .wasm file into a module.
import module from "../../nn.wasm";

export const compile = (): WebAssembly.Module => module;
/** Of no use, since there are no threads. */
export const compileShared = compile;
