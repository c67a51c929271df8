// npm run test:platform [-- names]: the suite in the named runtimes or in all, with one table of results.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { installDebian, installPackages, runtimes } from "./install.js";
import type { Run } from "./runtime.js";
import type { Result } from "./suite/index.js";

interface Outcome {
  runtime: string;
  version: string;
  seconds: number;
  result: Result;
}

const record = fileURLToPath(new URL("hashes.json", import.meta.url));

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { update: { type: "boolean" } } });
  const unknown = positionals.filter((name) => !runtimes.includes(name));
  if (unknown.length > 0)
    throw new RangeError(`unknown runtime "${unknown[0]}"; the runtimes are ${runtimes.join(", ")}`);
  const names = positionals.length > 0 ? runtimes.filter((name) => positionals.includes(name)) : runtimes;

  installPackages(names);
  const outcomes: Outcome[] = [];
  for (const name of names) {
    process.stderr.write(`${name} …\n`);
    outcomes.push(await outcomeOf(name));
  }

  const table = new Table({
    head: ["runtime", "version", "passed", "failed", "hash", "seconds"],
    style: { head: [], border: [] },
  });
  for (const { runtime, version, seconds, result } of outcomes)
    table.push([runtime, version, result.passed, result.failed, result.hash, seconds.toFixed(1)]);
  console.log(table.toString());
  for (const { runtime, result } of outcomes)
    for (const failure of result.failures) console.log(`${runtime}: ${failure}`);

  if (values.update) {
    const { hash, parts } = outcomes[0].result;
    writeFileSync(record, `${JSON.stringify({ hash, parts }, undefined, 2)}\n`);
  }
  const equal = compareHashes(outcomes);
  const sum = (count: "passed" | "failed"): number => outcomes.reduce((total, { result }) => total + result[count], 0);
  const [passed, failed] = [sum("passed") + equal.same, sum("failed") + equal.different];
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** A runtime that cannot be had or breaks down is one failure. */
async function outcomeOf(runtime: string): Promise<Outcome> {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  try {
    installDebian(runtime);
    const { toolsFor } = await import("./runtime.js");
    const { run } = (await import(`./runtimes/${runtime}/run.mjs`)) as { run: Run };
    return { runtime, ...(await run(toolsFor(runtime))), seconds: seconds() };
  } catch (error) {
    const failures = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
    const result: Result = { passed: 0, failed: 1, failures, hash: "none", parts: {} };
    return { runtime, version: "", seconds: seconds(), result };
  }
}

/** Compares with the hashes that are kept: a change of bits is noticed though all runtimes agree on it. */
function compareHashes(outcomes: readonly Outcome[]): { same: number; different: number } {
  const kept = JSON.parse(readFileSync(record, "utf8")) as Pick<Result, "hash" | "parts">;
  const different = outcomes.filter(({ result }) => result.hash !== kept.hash);
  const hashes = new Set(outcomes.map(({ result }) => result.hash));
  console.log(
    hashes.size === 1
      ? `${outcomes.length} of ${outcomes.length} hashes are equal`
      : `the hashes differ: ${hashes.size} of ${outcomes.length}`,
  );
  if (different.length === 0) console.log("and as test/platform/hashes.json has it");
  for (const { runtime, result } of different) {
    const parts = new Set([...Object.keys(kept.parts), ...Object.keys(result.parts)]);
    const names = [...parts].filter((part) => result.parts[part] !== kept.parts[part]);
    console.log(
      `${runtime}: other bits than in test/platform/hashes.json in ${names.join(", ") || "the list of parts"}`,
    );
  }
  return { same: outcomes.length - different.length, different: different.length };
}

main().catch((error: unknown) => {
  console.error(error instanceof RangeError ? `test:platform: ${error.message}` : error);
  console.log("0 passed, 1 failed");
  process.exitCode = 1;
});
