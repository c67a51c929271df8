// Runs and type-checks the examples of the README and the guide against the built package, and compares what they print.
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

/** A block of code, and what the block of text directly below it says that it prints. */
interface Block {
  readonly code: string;
  readonly output?: string | undefined;
  /** Whether the output is the error that the block throws. */
  readonly throws: boolean;
}

const blocksOf = (page: string): Block[] =>
  Array.from(
    readFileSync(root + page, "utf8").matchAll(/^```ts\n([^]*?)^```$(?:\n*^```text\n([^]*?)^```$)?/gm),
    ([, code, output]: (string | undefined)[]) => ({ code: code!, output, throws: /^\w*Error: /.test(output ?? "") }),
  );

/** Printed before the output of each block. */
const MARK = "=== block ===";

/**
 * The blocks of a page as one module in TypeScript: each may use what earlier ones declare, or declare it anew. A block that
 * throws declares nothing for later ones.
 */
function moduleOf(blocks: readonly Block[]): string {
  const names = new Map<string, Set<string>>();
  const spaces = new Set<string>();
  const bodies = blocks.map(({ code, throws }) => {
    const body = code
      .replace(/^import \* as .*$/gm, (line) => {
        spaces.add(line);
        return "";
      })
      .replace(/^import \{([^}]*)\} from "([^"]*)";$/gm, (_, list: string, from: string) => {
        const known = names.get(from) ?? new Set();
        names.set(from, known);
        for (const name of list.split(",")) if (name.trim()) known.add(name.trim());
        return "";
      });
    const mark = `console.log(${JSON.stringify(MARK)});`;
    return throws ? `${mark}\ntry {\n${body}} catch (error) { console.log(String(error)); }` : `{\n${mark}\n${body}`;
  });
  const imports = [...names].map(([from, list]) => `import { ${[...list].join(", ")} } from "${from}";`);
  const open = blocks.filter(({ throws }) => !throws).length;
  return [...imports, ...spaces, ...bodies, "}".repeat(open)].join("\n");
}

const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, strict: true };
const toJavaScript = (code: string): string =>
  ts.transpileModule(code, { compilerOptions: { ...compilerOptions, module: ts.ModuleKind.ESNext } }).outputText;

/** What each block prints. */
async function outputsOf(blocks: readonly Block[]): Promise<string[]> {
  const code = toJavaScript(moduleOf(blocks));
  const args = ["--no-warnings", "--input-type=module", "-e", code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
  return stdout.split(`${MARK}\n`).slice(1);
}

describe("examples run", () => {
  const withCode = pages.map((page) => ({ page, blocks: blocksOf(page) })).filter(({ blocks }) => blocks.length > 0);

  test("README and the page of schedules have some", () => {
    expect(withCode.map(({ page }) => page)).toEqual(expect.arrayContaining(["README.md", "docs/schedules.md"]));
  });

  test.concurrent.each(withCode)("$page", async ({ blocks }) => {
    const outputs = await outputsOf(blocks);
    expect(outputs.filter((output) => output.startsWith("ReferenceError"))).toEqual([]); // a mistake in the example
    const said = blocks.map(({ output }, i) => output ?? outputs[i]);
    expect(outputs).toEqual(said);
  });

  test("what a block prints, or throws, is told from what it says", async () => {
    const prints = (code: string, output: string): Block => ({ code, output, throws: output.startsWith("Error") });
    const blocks = [
      prints("const a = 1;\nconsole.log(a);\n", "1\n"),
      prints("throw new Error('no');\n", "Error: no\n"),
      prints("console.log(a + 1);\n", "2\n"),
    ];
    expect(await outputsOf(blocks)).toEqual(["1\n", "Error: no\n", "2\n"]);
  });

  test("and pass the type checker, but for those that throw", () => {
    const files = withCode.map(({ page, blocks }, i) => {
      const file = `${folder}/${i}-${page.replaceAll("/", "-")}.mts`;
      writeFileSync(file, moduleOf(blocks.filter(({ throws }) => !throws)));
      return file;
    });
    // TensorFlow.js's own declarations do not pass.
    const options = { ...compilerOptions, noEmit: true, skipLibCheck: true, types: [] };
    const faults = ts.getPreEmitDiagnostics(ts.createProgram(files, options));
    const host = { getCanonicalFileName: String, getCurrentDirectory: () => folder, getNewLine: () => "\n" };
    expect(ts.formatDiagnostics(faults, host)).toBe("");
  });
});
