// Keeps the sources and the package as CONTRIBUTING.md describes them.
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const filesOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/"))
    .filter((file) => !/\/(generated|node_modules)\//.test(file));
const sources = ["src", "assembly"].flatMap(filesOf);

const MAX_LINES = 300;
/** Lines after the imports within which a file says what it is for. */
const OPENING = 15;

/** The first comment within the opening of a file, without its marks; empty if there is none. */
function openingComment(code: string): string {
  const body = code.replace(/^\/\/\/ <reference .*$|^(import|export) [^;]*? from "[^"]*";$|^import "[^"]*";$/gm, "");
  const opening = body.trimStart().split("\n").slice(0, OPENING).join("\n");
  const [comment = ""] = /(^ *\/\/.*\n?)+|\/\*[^]*?(\*\/|$(?![^]))/m.exec(opening) ?? [];
  return comment.replace(/^\s*(\/\/|\/\*+|\*+\/|\*)|\*\/$/gm, " ").trim();
}
const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => /\p{L}/u.test(word));

describe("openingComment", () => {
  test.each([
    ["// Reads a file.\nlet a;", "Reads a file."],
    [
      'import { a } from "b";\nimport {\n  c,\n} from "d";\n\n/** A name\n * in short. */\nlet a;',
      "A name\n  in short.",
    ],
    ['import { a } from "b";\nlet c = a;', ""],
    [`${"let a;\n".repeat(OPENING)}// Too late.`, ""],
  ])("%j", (code, comment) => {
    expect(openingComment(code)).toBe(comment);
  });
});

test("every source opens with a comment of at least three words", () => {
  const code = sources.filter((file) => /\.(ts|mjs)$/.test(file) && !file.endsWith("/index.ts"));
  expect(code.length).toBeGreaterThan(100);
  expect(code.filter((file) => wordsOf(openingComment(read(file))).length < 3)).toEqual([]);
});

test(`no source has more than ${MAX_LINES} lines`, () => {
  expect(sources.filter((file) => read(file).split("\n").length - 1 > MAX_LINES)).toEqual([]);
});

test("the root of src/ has the entry points only", () => {
  expect(sources.filter((file) => dirname(file) === "src").sort()).toEqual(["src/index.ts", "src/kernels.ts"]);
});

/** Whether a test file starts processes or threads, itself or through a helper in test/. */
function startsProcesses(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file)) return false;
  seen.add(file);
  const code = read(file);
  if (/"node:(child_process|worker_threads|cluster)"|\bThreads\.create\(/.test(code)) return true;
  const imported = Array.from(code.matchAll(/from "(\.[^"]+)\.[jt]s"/g), ([, path]) =>
    join(dirname(file), `${path}.ts`),
  );
  return imported.some((path) => path.startsWith("test/") && startsProcesses(path, seen));
}

test("tests that start processes or workers are called *.slow.test.ts", () => {
  const files = filesOf("test").filter((file) => file.endsWith(".test.ts") && !file.startsWith("test/consumers/"));
  const starting = files.filter((file) => startsProcesses(file));
  expect(starting).toContain("test/examples/usage.slow.test.ts"); // through command.ts
  expect(starting.filter((file) => !file.endsWith(".slow.test.ts"))).toEqual([]);
});

test("the package runs no script on installation, and names no repository address", () => {
  const manifest = JSON.parse(read("package.json")) as { scripts: object };
  expect(manifest).not.toHaveProperty("repository");
  expect(manifest).not.toHaveProperty("homepage");
  expect(manifest).not.toHaveProperty("bugs");
  expect(Object.keys(manifest.scripts).filter((name) => /^(prepare|(pre|post)?install)$/.test(name))).toEqual([]);
  const packed = ["package.json", "README.md", "CHANGELOG.md", ...filesOf("docs"), ...filesOf("src")];
  const texts = packed.filter((file) => /\.(json|md|ts)$/.test(file));
  const address = /(github|gitlab|codeberg|bitbucket)\.(com|org|io)\/\S*gradstep|gradstep\.(dev|org|com|io)\b/i;
  expect(texts.filter((file) => address.test(read(file)))).toEqual([]);
});
