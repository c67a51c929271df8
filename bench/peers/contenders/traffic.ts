import asc from "assemblyscript/asc";
import { type Contender, type Rule } from "../contender.ts";
import { gapAfter } from "../../../dist/memory/arena.js";
import { fill, streams } from "../fill.ts";
import { source } from "../traffic.ts";

type Pass = (n: number, p: number, g: number, m: number, v: number) => void;

const slots: Record<Rule, number> = { adam: 2, adamw: 2, sgd: 0, momentum: 1 };
const FIRST = 1024;
const PAGE = 65_536;

/** Reads and writes what the update does, and computes next to nothing. */
export async function traffic(): Promise<Contender> {
  const { error, binary, stderr } = await asc.compileString(source, {
    optimizeLevel: 3,
    converge: true,
    noAssert: true,
    runtime: "stub",
    importMemory: true,
    enable: ["simd"],
  });
  if (error || !binary) throw new Error(`the same-traffic pass does not compile: ${stderr.toString()}`);
  const module = new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>);
  return {
    steps(rule, { count, length }) {
      const stride = Math.ceil(length / 16) * 64;
      const apart = stride * count + gapAfter(stride * count);
      const bytes = FIRST + apart * (2 + slots[rule]);
      const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
      const exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
      const pass = exports[`pass${slots[rule]}`] as Pass;
      const at = (buffer: number, tensor: number): number => FIRST + buffer * apart + tensor * stride;
      const view = (buffer: number, tensor: number): Float32Array =>
        new Float32Array(memory.buffer, at(buffer, tensor), length);
      for (let i = 0; i < count; i++) {
        fill(view(0, i), streams(i).p);
        fill(view(1, i), streams(i).g);
      }
      return {
        step() {
          for (let i = 0; i < count; i++) pass(stride / 4, at(0, i), at(1, i), at(2, i), at(3, i));
        },
        values: () => view(0, 0).slice(0, 16),
        dispose: () => undefined,
      };
    },
    net: () => "a pass over memory trains nothing",
  };
}
