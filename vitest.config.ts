import { defineConfig } from "vitest/config";

const exclude = ["**/node_modules/**", "test/consumers/**"];
const SLOW = "test/**/*.slow.test.ts";
/** They need a NATS server, or minutes: npm run test:distributed, npm run test:commands. */
const APART = ["test/distributed/*.slow.test.ts", "test/examples/*.slow.test.ts"];

export default defineConfig({
  test: {
    maxWorkers: "100%", // by default one core is left idle: of two, half
    testTimeout: 30_000,
    projects: [
      // The files of the first share a context, which saves a minute of imports.
      {
        extends: true,
        test: { name: "unit", include: ["test/**/*.test.ts"], exclude: [...exclude, SLOW], isolate: false },
      },
      { extends: true, test: { name: "slow", include: [SLOW], exclude: [...exclude, ...APART] } },
    ],
  },
});
