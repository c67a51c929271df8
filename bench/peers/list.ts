import type { Contender } from "./contender.ts";

/** What is measured: optimizer steps, the MLP on MNIST, the networks of models.ts. */
export const parts = ["steps", "mnist", "networks"] as const;
export type Part = (typeof parts)[number];

/** One that runs in Node. */
interface Script {
  readonly label: string;
  readonly load: () => Promise<Contender>;
  /** The npm package whose version is recorded. */
  readonly npm?: string;
  readonly gcc?: undefined;
  /** Where it takes part; default: steps and mnist. */
  readonly parts?: readonly Part[];
}

/** One that gcc makes of steps.c. */
interface Program {
  readonly label: string;
  readonly gcc: readonly string[];
  readonly parts?: readonly Part[];
}

/** Every contender, in the order of the tables. The first is what all others are compared with. */
export const contenders: Readonly<Record<string, Script | Program>> = {
  gradstep: {
    label: "gradstep",
    load: async () => (await import("./contenders/gradstep.ts")).gradstep,
    parts,
  },
  dense: {
    label: "gradstep, zero skipping off",
    load: async () => (await import("./contenders/gradstep.ts")).dense,
    parts: ["mnist", "networks"],
  },
  traffic: {
    label: "the same memory traffic, no arithmetic",
    load: async () => (await import("./contenders/traffic.ts")).traffic(),
    parts: ["steps"],
  },
  gcc: { label: "C, gcc -O3 -msse2", gcc: ["-O3", "-msse2", "-fno-math-errno"] },
  native: { label: "C, gcc -O3 -march=native", gcc: ["-O3", "-march=native", "-fno-math-errno"], parts: ["steps"] },
  loop: { label: "JavaScript loop", load: async () => (await import("./contenders/loop.ts")).loop },
  jax: {
    label: "jax-js, wasm",
    npm: "@jax-js/jax",
    load: async () => (await import("./contenders/jax.ts")).jax(),
    parts,
  },
  ruvector: {
    label: "ruvector-attention-wasm",
    npm: "ruvector-attention-wasm",
    load: async () => (await import("./contenders/ruvector.ts")).ruvector(),
  },
  "tfjs-wasm": {
    label: "TensorFlow.js, wasm",
    npm: "@tensorflow/tfjs-backend-wasm",
    load: async () => (await import("./contenders/tfjs.ts")).tfjs("wasm"),
    parts,
  },
  "tfjs-cpu": {
    label: "TensorFlow.js, cpu",
    npm: "@tensorflow/tfjs",
    load: async () => (await import("./contenders/tfjs.ts")).tfjs("cpu"),
    parts,
  },
  convnet: {
    label: "ConvNetJS",
    npm: "convnetjs",
    load: async () => (await import("./contenders/convnet.ts")).convnet(),
    parts: ["networks"],
  },
  brain: { label: "brain.js", npm: "brain.js", load: async () => (await import("./contenders/brain.ts")).brain() },
};

export const partsOf = (name: string): readonly Part[] => contenders[name].parts ?? ["steps", "mnist"];
