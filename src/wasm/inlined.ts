import { hex } from "./generated/bytes.js";
import { decode } from "./hex.js";

/** Compiles the inlined binary. */
export const compile = (): WebAssembly.Module => new WebAssembly.Module(decode(hex));
