// npm run test:examples: the Worker in workerd, the page in Chromium. Ends with a plain line of counts.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import type { Reporter } from "vitest/node";

const counts: Reporter = {
  onTestRunEnd(modules, errors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const broken = modules.filter((module) => module.state() === "failed" && module.children.size === 0);
    const passed = tests.filter((test) => test.result().state === "passed").length;
    console.log(`${passed} passed, ${tests.length - passed + broken.length + errors.length} failed`);
  },
};

export default defineConfig({
  test: {
    root: fileURLToPath(new URL("..", import.meta.url)),
    include: ["examples/*.check.mjs"],
    globalSetup: "./examples/install.ts",
    reporters: ["default", counts],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
