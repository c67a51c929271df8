// The types of dist/standalone/tfjs-wasm.js, a classic script: scripts/bundle.mjs makes it of src/tfjs/wasm.
declare global {
  /** What `gradstep/tfjs/wasm` exports, where `gradstep/standalone/tfjs-wasm.js` is loaded as a script. */
  var gradstepTfjsWasm: typeof import("../tfjs/wasm/index.js");
}
export {};
