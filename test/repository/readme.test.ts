// The README stays a page, and tells no number or link that is wrong.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { sections } from "../../docs/.vitepress/pages.js";
import * as gradstep from "../../src/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const pages = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md"));

test("the README has at most 130 lines", () => {
  expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(130);
});

test("the README says how many optimizers there are", () => {
  const rules = Object.values(gradstep).filter(
    (value) => typeof value === "function" && value.prototype instanceof gradstep.Optimizer,
  );
  const said = /^\| \*\*gradstep\*\* \|.*?\|.*?\| (\d+) \|/m.exec(read("README.md"))?.[1];
  expect(Number(said)).toBe(rules.length - 1); // without StepOptimizer
});

test.each(["README.md", "CONTRIBUTING.md", ...pages.map((page) => `docs/${page}`)])(
  "%s: links lead to files",
  (file) => {
    const links = Array.from(
      read(file)
        .replace(/^```[^]*?^```$/gm, "")
        .matchAll(/\]\(([^)#\s]+)[^)]*\)|(?:src|srcset)="([^"]+)"/g),
      ([, link, source]: (string | undefined)[]) => link ?? source!,
    );
    const built = /^\.\/(playground|api)\//; // by npm run site
    const dead = links.filter((link) => !/^https?:/.test(link) && !built.test(link));
    expect(dead.filter((link) => !existsSync(join(root, dirname(file), link)))).toEqual([]);
  },
);

test("every page of docs/ is in the guide's sidebar", () => {
  const listed = sections.flatMap(({ items }) => items.map(({ link }) => `${link.slice(1)}.md`));
  expect([...listed, "index.md"].sort()).toEqual([...pages].sort());
});
