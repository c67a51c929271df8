// "#nn-binary" for Vercel's edge runtime, whose bundlers need the query `?module`.
import module from "../../nn.wasm?module";

export const compile = (): WebAssembly.Module => module;
/** Of no use, since there are no threads. */
export const compileShared = compile;
