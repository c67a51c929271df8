// "#binary" by default: the binary is inlined as text.
import { text } from "./generated/bytes.js";
import { decode } from "./text.js";

export const compile = (): WebAssembly.Module => new WebAssembly.Module(decode(text));
