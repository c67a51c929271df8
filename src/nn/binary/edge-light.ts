// "#nn-binary" for Vercel's edge runtime, whose bundlers need the query `?module`.
import module from "../../nn.wasm?module";

/** There are no threads for which the binary would be changed. */
export const compile = (): WebAssembly.Module => module;
