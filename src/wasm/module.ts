import { instantiateSync } from "@assemblyscript/loader";
import { wrongType } from "../check.js";
import { base64 } from "./generated/bytes.js";
import type { Kernels } from "./generated/kernels.js";

let compiled: WebAssembly.Module | undefined;

/** The kernels' module: compiled once per process, when first needed. */
function ownModule(): WebAssembly.Module {
  return (compiled ??= new WebAssembly.Module(decode(base64)));
}

/** Instantiates the kernels over a memory. A module of another realm gets a plain instance: the loader refuses it. */
export function instantiateKernels(owner: string, memory: WebAssembly.Memory, module: object | undefined): Kernels {
  if (module !== undefined && Object.prototype.toString.call(module) !== "[object WebAssembly.Module]")
    throw wrongType(owner, "module", "a WebAssembly.Module of gradstep/kernels.wasm", module);
  const source = (module as WebAssembly.Module | undefined) ?? ownModule();
  const instance =
    source instanceof WebAssembly.Module
      ? instantiateSync(source, { env: { memory } }).instance
      : new WebAssembly.Instance(source, { env: { memory } });
  return instance.exports as unknown as Kernels;
}

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
