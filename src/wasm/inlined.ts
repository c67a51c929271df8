import { base64 } from "./generated/bytes.js";

/** Compiles the inlined binary. */
export const compile = (): WebAssembly.Module => new WebAssembly.Module(decode(base64));

/** Base64 to bytes, without `atob`, which bare engine shells lack. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const value = new Uint8Array(128);
  for (let i = 0; i < 64; i++) value[alphabet.charCodeAt(i)] = i;
  const bytes = new Uint8Array(Math.floor((text.replace(/=+$/, "").length * 3) / 4));
  for (let from = 0, to = 0; to < bytes.length; from += 4) {
    let word = 0;
    for (let k = 0; k < 4; k++) word = (word << 6) | value[text.charCodeAt(from + k) & 127];
    for (let k = 16; k >= 0 && to < bytes.length; k -= 8) bytes[to++] = word >> k;
  }
  return bytes;
}
