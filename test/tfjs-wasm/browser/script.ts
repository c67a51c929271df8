// The page as a script, after those of TensorFlow.js and of gradstep.
import { begin } from "./train.ts";

(globalThis as unknown as { tf: { wasm: { setWasmPaths: (path: string) => void } } }).tf.wasm.setWasmPaths("/wasm/");
begin();
