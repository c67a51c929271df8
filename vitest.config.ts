import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/consumers/**"],
    maxWorkers: "100%", // by default one core is left idle: of two, half
    testTimeout: 30_000,
  },
});
