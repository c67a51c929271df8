import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { WasmAdam, WasmAdamW, WasmSGD, initSync } from "ruvector-attention-wasm";
import { type Contender, type Rule, hyper } from "../contender.ts";
import { filled, streams } from "../fill.ts";

const { lr, sgdLr, momentum, weightDecay } = hyper;

const optimizers: Record<Rule, (length: number) => WasmAdam | WasmAdamW | WasmSGD> = {
  adam: (length) => new WasmAdam(length, lr),
  adamw: (length) => new WasmAdamW(length, lr, weightDecay),
  sgd: (length) => new WasmSGD(length, sgdLr),
  momentum: (length) => new WasmSGD(length, sgdLr, momentum),
};

/** Its optimizers take and give back `Float32Array`s of ours: they copy both ways at every step. */
export function ruvector(): Contender {
  const resolve = createRequire(import.meta.url).resolve;
  initSync({ module: readFileSync(resolve("ruvector-attention-wasm/ruvector_attention_wasm_bg.wasm")) });
  return {
    steps(rule, { count, length }) {
      const tensors = Array.from({ length: count }, (_, i) => ({
        p: filled(length, streams(i).p),
        g: filled(length, streams(i).g),
        optimizer: optimizers[rule](length),
      }));
      return {
        step() {
          for (const { p, g, optimizer } of tensors) optimizer.step(p, g);
        },
        values: () => tensors[0].p.slice(0, 16),
        dispose() {
          for (const { optimizer } of tensors) optimizer.free();
        },
      };
    },
    net: () => "ruvector-attention-wasm has no layers of this kind, only attention and optimizers",
  };
}
