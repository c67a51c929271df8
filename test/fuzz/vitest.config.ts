// npm run fuzz: the test files that use runs.ts, each property GRADSTEP_FUZZ_RUNS times as often as in `npm test`, from a
// seed that differs each time unless GRADSTEP_FUZZ_SEED gives it.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { GRADSTEP_FUZZ_RUNS = "50", GRADSTEP_FUZZ_SEED = String(Math.floor(Math.random() * 2 ** 31)) } = process.env;
console.log(`GRADSTEP_FUZZ_RUNS=${GRADSTEP_FUZZ_RUNS} GRADSTEP_FUZZ_SEED=${GRADSTEP_FUZZ_SEED}`);

export default defineConfig({
  test: {
    root,
    include: readdirSync(`${root}test`, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".test.ts") && !file.includes("node_modules"))
      .map((file) => `test/${file.replaceAll("\\", "/")}`)
      .filter((file) => /\/runs\.js"|GRADSTEP_FUZZ_RUNS/.test(readFileSync(root + file, "utf8"))),
    env: { GRADSTEP_FUZZ_RUNS, GRADSTEP_FUZZ_SEED },
    testTimeout: 0,
  },
});
