// npm run test:commands: the tests that run the commands of examples/ as processes of their own.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["test/examples/*.slow.test.ts"], maxWorkers: "100%", testTimeout: 30_000 },
});
