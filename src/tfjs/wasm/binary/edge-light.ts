// "#tfjs-binary" for Vercel's edge runtime, whose bundlers need the query `?module`.
import module from "../../../tfjs.wasm?module";

export const compile = (): WebAssembly.Module => module;
/** The same, since there are no threads. */
export const compileShared = compile;
