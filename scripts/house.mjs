// Checks the shape of the sources, as part of `npm run lint`: no file that cannot be read in one sitting, and only the entry
// points at the root of src/.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const MAX_LINES = 300;
const ENTRIES = ["index.ts", "kernels.ts"];

const problems = [];
for (const folder of ["src", "assembly"])
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || path.includes("/generated/")) continue;
    const lines = readFileSync(path, "utf8").split("\n").length - 1;
    if (lines > MAX_LINES) problems.push(`${path} has ${lines} lines: split it by meaning, ${MAX_LINES} are allowed`);
    if (entry.parentPath === "src" && !ENTRIES.includes(entry.name)) problems.push(`${path}: put it into a folder`);
  }
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
