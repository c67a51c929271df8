// The page as a module, which Vite bundles.
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import "gradstep/tfjs/wasm";
import { begin } from "./train.ts";

setWasmPaths("/wasm/");
begin();
