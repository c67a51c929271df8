// npm run test:tfjs-wasm: 2,000 cases of each kernel, models that train with fit, and 10,000 steps, in gradstep/tfjs/wasm.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const { GRADSTEP_TFJS_RUNS = "2000" } = process.env;

export default defineConfig({
  test: {
    root: fileURLToPath(new URL(".", import.meta.url)),
    include: ["kernels.test.ts", "*.check.ts"],
    env: { GRADSTEP_TFJS_RUNS },
    testTimeout: 300_000,
  },
});
