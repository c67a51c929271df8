// "#nn-binary" for Cloudflare's workerd, which forbids compiling bytes and turns an imported .wasm file into a module.
import module from "../../nn.wasm";

/** There are no threads for which the binary would be changed. */
export const compile = (): WebAssembly.Module => module;
