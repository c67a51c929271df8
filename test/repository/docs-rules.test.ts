// docs/rules.md says what the rules do: every table of defaults is compared with the rule itself.
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as gradstep from "../../src/index.js";
import { ParameterDict } from "../../src/index.js";
import { type Options, make, reduces, rows } from "../rules/table.js";

const page = readFileSync(new URL("../../docs/rules.md", import.meta.url), "utf8");
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({ rule: /^\w+/.exec(text)?.[0] ?? "", text }));
const value = (cell: string): unknown => (cell === "Infinity" ? Infinity : cell === "" ? undefined : JSON.parse(cell));

describe("docs/rules.md", () => {
  test.each(sections)("$rule: defaults in each dialect", ({ rule, text }) => {
    const lines = text
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const [[, ...dialects], , ...rows] = lines;
    for (const [column, dialect] of dialects.entries()) {
      const cells = rows.map(([option, ...values]) => [option.replaceAll("`", ""), value(values[column])] as const);
      const needsLr = cells.some(([option, cell]) => option === "lr" && cell === undefined);
      const construct = (options: Options) => make(rule, new ParameterDict({ w: [2, 2] }), { dialect, ...options });
      if (needsLr) expect(() => construct({})).toThrow(TypeError);
      const { paramGroups } = construct(needsLr ? { lr: 0.5 } : {});
      for (const [option, cell] of cells)
        if (cell !== undefined) expect((paramGroups[0] as Options)[option], `${dialect} ${option}`).toEqual(cell);
    }
    for (const dialect of ["torch", "keras", "optax"].filter((d) => !dialects.includes(d)))
      expect(() => make(rule, new ParameterDict({ w: [2, 2] }), { dialect, lr: 0.1 })).toThrow(RangeError);
  });

  test("has every rule", () => {
    const rules = Object.entries(gradstep).flatMap(([name, value]) =>
      typeof value === "function" && value.prototype instanceof gradstep.Optimizer && name !== "StepOptimizer"
        ? [name]
        : [],
    );
    expect(sections.map(({ rule }) => rule).sort()).toEqual(rules.sort());
  });
});

test("docs/rules.md names the rules that take sparse rows", () => {
  const [text] = /### Sparse steps\n[^#]*/.exec(page)!;
  const taking = rows.filter(({ rule, required }) => {
    const optimizer = make(rule, new ParameterDict({ w: [2, 2] }), required);
    try {
      return optimizer.step({ rows: { w: [1] } });
    } catch {
      return false;
    }
  });
  expect(rows.filter(({ rule }) => new RegExp(`\\b${rule}\\b`).test(text))).toEqual(taking);
});

test("docs/which-optimizer.md has every rule in its table of families", () => {
  const text = readFileSync(new URL("../../docs/which-optimizer.md", import.meta.url), "utf8");
  const families = text.slice(text.indexOf("## All of them"));
  expect(sections.map(({ rule }) => rule).filter((rule) => !families.includes(`\`${rule}\``))).toEqual([]);
});

test("docs/state.md names the rules of whole tensors, which have no small state", () => {
  const text = readFileSync(new URL("../../docs/state.md", import.meta.url), "utf8");
  const [, list] = /Rules of whole tensors\s\(([^)]*)\)/.exec(text)!;
  const whole = rows.filter((row) => reduces(row, {})).map(({ rule }) => rule);
  expect(list.split(", ").sort()).toEqual([...whole, "LBFGS"].sort());
});

// The API reference gives a class without a docstring that of its base, and finds nothing missing. Nor does it where
// arguments of a constructor have none; a text for the constructor itself would hide the class's in editors.
test("every rule's class has a docstring of its own, with an example, and its constructor says what it takes", () => {
  const folder = new URL("../../src/rules/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const bare = files.filter((file) => {
    const source = readFileSync(new URL(file, folder), "utf8");
    const whole = [
      /^ \* @example\n( \* .*\n)+ \*\/\nexport class /m,
      /^ {2}\/\*\*(\n {3}\*)? @param params .*\n( {3}\* .*\n)* {3}\* +@param options .*(\n {3})? ?\*\/\n {2}constructor\(/m,
    ];
    return /^export class .* extends \w*Optimizer\b/m.test(source) && !whole.every((text) => text.test(source));
  });
  expect(bare).toEqual([]);
});
