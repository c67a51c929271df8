import { text } from "./generated/bytes.js";
import { decode } from "./text.js";

/** Compiles the inlined binary. */
export const compile = (): WebAssembly.Module => new WebAssembly.Module(decode(text));
