// The packed package in Node, bundlers and the TypeScript compiler.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import nodeResolve from "@rollup/plugin-node-resolve";
import * as esbuild from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { rollup } from "rollup";
import ts from "typescript";
import * as vite from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import webpack from "webpack";
import { type Consumer, install, printed, program, readTarball } from "./packed.js";

let consumer: Consumer;
beforeAll(() => {
  consumer = install();
});
afterAll(() => rmSync(consumer.folder, { recursive: true }));

test("publint finds nothing, strictly", async () => {
  const { messages, pkg } = await publint({ pkgDir: join(consumer.folder, "node_modules/gradstep"), strict: true });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test("the types are right in every resolution of an ESM-only package", async () => {
  const pkg = createPackageFromTarballData(readTarball(consumer));
  const analysis = await checkPackage(pkg, { excludeEntrypoints: ["./threads/worker.js"] });
  if (analysis.types === false) expect.fail("no types");
  // ESM only: CommonJS requires it, and what resolves as Node 10 did knows no subpaths.
  const relevant = analysis.problems.filter(
    (problem) =>
      problem.kind !== "CJSResolvesToESM" && !("resolutionKind" in problem && problem.resolutionKind === "node10"),
  );
  expect(relevant).toEqual([]);
});

test("CommonJS requires it", () => {
  consumer.write(
    "require.cjs",
    `const { AdamW, ParameterDict } = require("gradstep");
     const { MLP } = require("gradstep/nn");
     const params = new ParameterDict({ w: [3] });
     params.grad.w.fill(1);
     new AdamW(params, { lr: 0.1 }).step();
     console.log(params.data.w[2], new MLP([2, 2]).params.numel);`,
  );
  expect(consumer.node("require.cjs")).toBe("-0.10000000149011612 6");
});

test("Node imports every subpath", () => {
  consumer.write("main.mjs", program);
  expect(consumer.node("main.mjs")).toBe(printed);
});

test("Node imports gradstep/standalone, one file", () => {
  consumer.write(
    "standalone.mjs",
    `import { AdamW, MLP, ParameterDict, StepLR, load, save } from "gradstep/standalone";
     const params = new ParameterDict({ w: [3] });
     params.grad.w.fill(1);
     const optimizer = new AdamW(params, { lr: 0.1 });
     optimizer.step();
     new StepLR(optimizer, { stepSize: 1 }).step();
     load(save(params), params);
     console.log(params.data.w[2], new MLP([2, 2]).params.numel);`,
  );
  expect(consumer.node("standalone.mjs")).toBe("-0.10000000149011612 6");
});

describe("CommonJS in TypeScript (.cts)", () => {
  const use = `const params = new ParameterDict({ w: [3] });
    params.grad.w.fill(1);
    new AdamW(params, { lr: 0.1 }).step();
    console.log(params.data.w[2]);`;
  const compile = (name: string, module: ts.ModuleKind, code: string): number[] => {
    const file = consumer.write(`${name}.cts`, code);
    const options = {
      strict: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
      types: [],
    };
    const made = ts.createProgram([file], { ...options, module });
    made.emit();
    return ts.getPreEmitDiagnostics(made).map(({ code: problem }) => problem);
  };
  const statics = `import { AdamW, ParameterDict } from "gradstep";\n${use}`;

  test.each([
    ["nodenext", ts.ModuleKind.NodeNext],
    ["node20", ts.ModuleKind.Node20],
  ])("module %s takes an ordinary import, which becomes require()", (name, module) => {
    expect(compile(name, module, statics)).toEqual([]);
    expect(consumer.node("--no-warnings", `${name}.cjs`)).toBe("-0.10000000149011612");
  });

  test("module node16 refuses that (TS1479), and takes import() with types by import type", () => {
    expect(compile("refused", ts.ModuleKind.Node16, statics)).toEqual([1479]);
    const dynamic = `import type { AdamWOptions } from "gradstep" with { "resolution-mode": "import" };
      const options: AdamWOptions = { lr: 0.1 };
      void import("gradstep").then(({ AdamW, ParameterDict }) => {
        ${use.replace("{ lr: 0.1 }", "options")}
      });`;
    expect(compile("node16", ts.ModuleKind.Node16, dynamic)).toEqual([]);
    expect(consumer.node("node16.cjs")).toBe("-0.10000000149011612");
  });
});

describe("tsc, strict, libraries checked too", () => {
  const { NodeNext, Bundler } = ts.ModuleResolutionKind;
  test.each([
    { resolution: "nodenext", moduleResolution: NodeNext, module: ts.ModuleKind.NodeNext, dom: true },
    { resolution: "nodenext", moduleResolution: NodeNext, module: ts.ModuleKind.NodeNext, dom: false },
    { resolution: "bundler", moduleResolution: Bundler, module: ts.ModuleKind.ESNext, dom: true },
    { resolution: "bundler", moduleResolution: Bundler, module: ts.ModuleKind.ESNext, dom: false },
  ])("$resolution, DOM $dom", ({ moduleResolution, module, dom }) => {
    const names = dom ? ["lib.es2022.d.ts", "lib.dom.d.ts"] : ["lib.es2022.d.ts"];
    const bare = program.replace(/.*(memory|instantiate).*\n/gi, "").replace("console.log(", "void (");
    const file = consumer.write("main.ts", dom ? program : bare);
    const made = ts.createProgram([file], {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      target: ts.ScriptTarget.ES2022,
      types: [],
      lib: names,
      module,
      moduleResolution,
    });
    const problems = ts.getPreEmitDiagnostics(made);
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  });
});

describe("bundles run", () => {
  beforeAll(() => {
    consumer.write("main.js", program);
  });
  const entry = () => join(consumer.folder, "main.js");
  const out = (name: string) => join(consumer.folder, "out", name);

  test("esbuild", async () => {
    await esbuild.build({
      entryPoints: [entry()],
      outfile: out("esbuild.mjs"),
      bundle: true,
      minify: true,
      format: "esm",
      external: ["node:*"],
      logLevel: "error",
    });
    expect(consumer.node("out/esbuild.mjs")).toBe(printed);
  });

  test("Vite", async () => {
    await vite.build({
      root: consumer.folder,
      logLevel: "error",
      configFile: false,
      build: { outDir: out("vite"), lib: { entry: entry(), formats: ["es"], fileName: "main" }, minify: true },
    });
    expect(consumer.node("out/vite/main.js")).toBe(printed);
  });

  test("Rollup, which has nothing to warn of, such as a circular import", async () => {
    const warnings: string[] = [];
    const onwarn = ({ message }: { message: string }) => void warnings.push(message);
    const bundle = await rollup({ input: entry(), plugins: [nodeResolve()], external: /^node:/, onwarn });
    await bundle.write({ file: out("rollup.mjs"), format: "es", inlineDynamicImports: true });
    expect(warnings).toEqual([]);
    expect(consumer.node("out/rollup.mjs")).toBe(printed);
  });

  test("webpack", async () => {
    await new Promise<void>((resolve, reject) => {
      webpack(
        {
          mode: "production",
          target: "node20",
          entry: entry(),
          output: { path: out("webpack"), filename: "main.cjs" },
        },
        (error, stats) => {
          if (error) reject(error);
          else if (stats?.hasErrors()) reject(new Error(stats.toString("errors-only")));
          else resolve();
        },
      );
    });
    expect(consumer.node("out/webpack/main.cjs")).toBe(printed);
  });
});
