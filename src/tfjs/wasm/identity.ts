// Identity: TensorFlow.js's backend copies the elements, though it counts who uses them. Every operation whose gradient needs
// its operands calls it.
import type { Kernel } from "./kernel.js";

export const identities: readonly Kernel[] = [
  { name: "Identity", missing: false, run: ({ inputs: { x } }, wasm) => wasm.share(x) },
];
