// "#binary" for Vercel's edge runtime, whose bundlers want the query.
import module from "../kernels.wasm?module";

export const compile = (): WebAssembly.Module => module;
