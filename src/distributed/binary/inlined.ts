// "#delta-binary" by default: the binary is inlined as text.
import { text } from "../../wasm/generated/delta-bytes.js";
import { decode } from "../../wasm/text.js";

export const compile = (): WebAssembly.Module => new WebAssembly.Module(decode(text));
