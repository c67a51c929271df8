// "#tfjs-binary" by default: the binary is inlined as text.
import { text } from "../../../wasm/generated/tfjs-bytes.js";
import { shared } from "../../../wasm/shared.js";
import { decode } from "../../../wasm/text.js";

const bytes = (): Uint8Array<ArrayBuffer> => decode(text);

export const compile = (): WebAssembly.Module => new WebAssembly.Module(bytes());
/** For a memory that threads share. */
export const compileShared = (): WebAssembly.Module => new WebAssembly.Module(shared(bytes()));
