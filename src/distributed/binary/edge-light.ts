// "#delta-binary" for Vercel's edge runtime, whose bundlers need the query `?module`.
import module from "../../delta.wasm?module";

export const compile = (): WebAssembly.Module => module;
