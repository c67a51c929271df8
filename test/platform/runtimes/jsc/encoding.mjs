import { TextDecoder, TextEncoder } from "@exodus/bytes/encoding.js";

Object.assign(globalThis, { TextDecoder, TextEncoder });
