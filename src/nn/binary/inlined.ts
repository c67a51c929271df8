// "#nn-binary" by default: the binary is inlined as text.
import { text } from "../../wasm/generated/nn-bytes.js";

import { decode } from "../../wasm/text.js";

/** `change` is applied to the binary first. */
export const compile = (
  change: (binary: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> = (binary) => binary,
): WebAssembly.Module => new WebAssembly.Module(change(decode(text)));
