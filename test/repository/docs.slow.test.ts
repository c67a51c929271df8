// Runs and type-checks the examples in README and docs against the built package.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(`${tmpdir()}/gradstep-`);
mkdirSync(`${folder}/node_modules`);
symlinkSync(root, `${folder}/node_modules/gradstep`);
symlinkSync(`${root}node_modules/@tensorflow`, `${folder}/node_modules/@tensorflow`);
afterAll(() => rmSync(folder, { recursive: true }));

const pages = ["README.md", ...readdirSync(`${root}docs`).map((file) => `docs/${file}`)].filter((page) =>
  page.endsWith(".md"),
);
const blocksOf = (page: string): string[] =>
  Array.from(readFileSync(root + page, "utf8").matchAll(/^```ts\n([^]*?)^```$/gm), ([, code]) => code);

/** The blocks of a page as one module in TypeScript: each may use what earlier ones declare, or declare it anew. */
function moduleOf(blocks: readonly string[]): string {
  const names = new Map<string, Set<string>>();
  const spaces = new Set<string>();
  const bodies = blocks.map((block) =>
    block
      .replace(/^import \* as .*$/gm, (line) => {
        spaces.add(line);
        return "";
      })
      .replace(/^import \{([^}]*)\} from "([^"]*)";$/gm, (_, list: string, from: string) => {
        const known = names.get(from) ?? new Set();
        names.set(from, known);
        for (const name of list.split(",")) if (name.trim()) known.add(name.trim());
        return "";
      }),
  );
  const imports = [...names].map(([from, list]) => `import { ${[...list].join(", ")} } from "${from}";`);
  return [...imports, ...spaces, ...bodies.map((body) => `{\n${body}`), "}".repeat(bodies.length)].join("\n");
}

const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, strict: true };
const toJavaScript = (code: string): string =>
  ts.transpileModule(code, { compilerOptions: { ...compilerOptions, module: ts.ModuleKind.ESNext } }).outputText;

describe("examples run", () => {
  const withCode = pages.map((page) => ({ page, blocks: blocksOf(page) })).filter(({ blocks }) => blocks.length > 0);

  test("README and the page of schedules have some", () => {
    expect(withCode.map(({ page }) => page)).toEqual(expect.arrayContaining(["README.md", "docs/schedules.md"]));
  });

  test.each(withCode)("$page", async ({ blocks }) => {
    await promisify(execFile)(process.execPath, ["--input-type=module", "-e", toJavaScript(moduleOf(blocks))], {
      cwd: folder,
    });
  });

  test("and pass the type checker", () => {
    const files = withCode.map(({ page, blocks }, i) => {
      const file = `${folder}/${i}-${page.replaceAll("/", "-")}.mts`;
      writeFileSync(file, moduleOf(blocks));
      return file;
    });
    // TensorFlow.js's own declarations do not pass.
    const options = { ...compilerOptions, noEmit: true, skipLibCheck: true, types: [] };
    const faults = ts.getPreEmitDiagnostics(ts.createProgram(files, options));
    const host = { getCanonicalFileName: String, getCurrentDirectory: () => folder, getNewLine: () => "\n" };
    expect(ts.formatDiagnostics(faults, host)).toBe("");
  });
});
