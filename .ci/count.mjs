// Prints "passed failed" of a vitest JSON report. A file that could not be imported adds nothing to vitest's own count
// of failed tests: it counts as one here, and so does an exit that nothing in the report explains.
import { readFileSync } from "node:fs";

const [file, exitCode] = process.argv.slice(2);
let passed = 0;
let failed = 0;
try {
  const report = JSON.parse(readFileSync(file, "utf8"));
  const broken = report.testResults.filter((f) => f.status === "failed" && f.assertionResults.length === 0);
  passed = report.numPassedTests;
  failed = report.numFailedTests + broken.length;
} catch (error) {
  console.error(`no report: ${error.message}`);
}
if (failed === 0 && (exitCode !== "0" || passed === 0)) failed = 1;
console.log(passed, failed);
