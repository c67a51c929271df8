import type { Contender } from "./contender.ts";

/** One that runs in Node. */
interface Script {
  readonly label: string;
  readonly load: () => Promise<Contender>;
  /** The npm package whose version is recorded. */
  readonly npm?: string;
  readonly gcc?: undefined;
}

/** One that gcc makes of steps.c. */
interface Program {
  readonly label: string;
  readonly gcc: readonly string[];
}

/** Every contender, in the order of the tables. The first is what all others are compared with. */
export const contenders: Readonly<Record<string, Script | Program>> = {
  gradstep: { label: "gradstep", load: async () => (await import("./contenders/gradstep.ts")).gradstep },
  dense: {
    label: "gradstep, zero skipping off",
    load: async () => (await import("./contenders/gradstep.ts")).dense,
  },
  traffic: {
    label: "the same memory traffic, no arithmetic",
    load: async () => (await import("./contenders/traffic.ts")).traffic(),
  },
  gcc: { label: "C, gcc -O3 -msse2", gcc: ["-O3", "-msse2", "-fno-math-errno"] },
  native: { label: "C, gcc -O3 -march=native", gcc: ["-O3", "-march=native", "-fno-math-errno"] },
  loop: { label: "JavaScript loop", load: async () => (await import("./contenders/loop.ts")).loop },
  jax: { label: "jax-js, wasm", npm: "@jax-js/jax", load: async () => (await import("./contenders/jax.ts")).jax() },
  ruvector: {
    label: "ruvector-attention-wasm",
    npm: "ruvector-attention-wasm",
    load: async () => (await import("./contenders/ruvector.ts")).ruvector(),
  },
  "tfjs-wasm": {
    label: "TensorFlow.js, wasm",
    npm: "@tensorflow/tfjs-backend-wasm",
    load: async () => (await import("./contenders/tfjs.ts")).tfjs("wasm"),
  },
  "tfjs-cpu": {
    label: "TensorFlow.js, cpu",
    npm: "@tensorflow/tfjs",
    load: async () => (await import("./contenders/tfjs.ts")).tfjs("cpu"),
  },
  brain: { label: "brain.js", npm: "brain.js", load: async () => (await import("./contenders/brain.ts")).brain() },
};
