// "#binary" by default: the binary is inlined as text.
import { text } from "./generated/bytes.js";
import { shared } from "./shared.js";
import { decode } from "./text.js";

const bytes = (): Uint8Array<ArrayBuffer> => decode(text);

export const compile = (): WebAssembly.Module => new WebAssembly.Module(bytes());
/** For a memory that threads share. */
export const compileShared = (): WebAssembly.Module => new WebAssembly.Module(shared(bytes()));
