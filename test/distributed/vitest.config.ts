// npm run test:distributed: the tests that need a NATS server. `-- --mode long` runs them at full length.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/distributed/*.slow.test.ts"],
    testTimeout: 60_000,
    fileParallelism: false, // they measure nothing, but share two cores with servers and workers
  },
});
