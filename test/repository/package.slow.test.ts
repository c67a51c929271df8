// The package as it is built and published, imported by its name.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { text as kernels } from "../../src/wasm/generated/bytes.js";
import { text as nn } from "../../src/wasm/generated/nn-bytes.js";
import { shared } from "../../src/wasm/shared.js";
import { decode } from "../../src/wasm/text.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
  exports: Record<string, Record<string, string> | string>;
  dependencies: Record<string, string>;
};
const run = async (...args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  return stdout.trim();
};

describe("the package", () => {
  test("depends on the loader only", () => {
    expect(Object.keys(manifest.dependencies)).toEqual(["@assemblyscript/loader"]);
  });

  test("has types first for every subpath, and all files are there", () => {
    for (const [subpath, target] of Object.entries(manifest.exports)) {
      if (typeof target === "string") continue;
      expect(Object.keys(target)[0], subpath).toBe("types");
      // One instance of each class: all subpaths come from dist/node in Node, and from single modules in bundlers.
      if (target.default.endsWith(".js") && !subpath.startsWith("./standalone"))
        expect(target, subpath).toEqual({
          types: target.default.replace(/js$/, "d.ts"),
          module: target.default,
          node: target.default.replace("dist/", "dist/node/"),
          default: target.default,
        });
      for (const file of Object.values(target)) expect(readFileSync(`${root}${file}`).length, file).toBeGreaterThan(0);
    }
  });

  test("can be imported by its name from ESM and with require()", async () => {
    const use = `const p = new ParameterDict({ w: [3] }); p.grad.w.fill(1); new SGD(p, { lr: 1 }).step(); console.log(String(p.data.w));`;
    expect(await run("--input-type=module", "-e", `import { ParameterDict, SGD } from "gradstep"; ${use}`)).toBe(
      "-1,-1,-1",
    );
    const require = `const { ParameterDict, SGD } = require("gradstep"); ${use}`;
    expect(await run("--no-warnings", "-e", require)).toBe("-1,-1,-1");
  });

  test("exports the subpaths that its documents name", async () => {
    const code = `import * as nn from "gradstep/nn"; import * as kernels from "gradstep/kernels";
      import * as checkpoint from "gradstep/checkpoint"; import * as schedule from "gradstep/schedule";
      console.log(typeof schedule.StepLR, typeof checkpoint.saveFile, typeof nn.MLP, typeof kernels.instantiate);`;
    expect(await run("--input-type=module", "-e", code)).toBe("function function function function");
  });

  test("has all but threads and TensorFlow.js in one file of at most 100 KB gzipped that imports nothing", async () => {
    const code = readFileSync(`${root}dist/standalone/gradstep.js`, "utf8");
    expect(gzipSync(code, { level: 9 }).length).toBeLessThan(100 * 1000);
    expect(code).not.toMatch(/\bimport\b *[("'{*]|\brequire\(|[^\0-\x7f]/);
    const parts = ["index", "nn/index", "schedule/index", "checkpoint/index"];
    const names = await Promise.all(
      parts.map(async (part) => Object.keys((await import(`${root}src/${part}.ts`)) as object)),
    );
    const single = (await import(`${root}dist/standalone/gradstep.js`)) as object;
    expect(Object.keys(single).sort()).toEqual([...new Set(names.flat())].sort());
  });

  test.each([
    { name: "kernels", text: kernels, most: 18 },
    { name: "nn", text: nn, most: 10 },
  ])("ships the binary $name, which it inlines, of at most $most KB gzipped", ({ name, text, most }) => {
    const binary = readFileSync(`${root}dist/${name}.wasm`);
    expect(binary.equals(decode(text))).toBe(true);
    expect(gzipSync(binary, { level: 9 }).length).toBeLessThanOrEqual(most * 1024);
  });

  test("turns its binaries into those that asc makes for a shared memory", { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(`${tmpdir()}/gradstep-shared-`);
    try {
      const { compile } = (await import(`${root}assembly/compile.mjs`)) as {
        compile: (...options: string[]) => unknown;
      };
      const options =
        "--target release --enable threads --sharedMemory --maximumMemory 65536 --memoryBase 8192 --runPasses reorder-locals";
      await compile("assembly/nn/index.ts", ...options.split(" "), "--outFile", `${folder}/nn.wasm`);
      expect(readFileSync(`${folder}/nn.wasm`).equals(shared(readFileSync(`${root}build/nn.wasm`)))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("inlines any bytes as text without escapes", async () => {
    const { encode } = (await import(`${root}assembly/text.mjs`)) as { encode: (bytes: Uint8Array) => string };
    for (const bytes of [
      new Uint8Array(0),
      Uint8Array.from({ length: 256 }, (_, i) => i),
      Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 40503) >> 7),
    ]) {
      const text = encode(bytes);
      expect(text).toMatch(/^[ !#%-[\]^_a-~]*$/);
      expect(decode(text)).toEqual(bytes);
    }
  });

  test("has each binary once, and that of the networks in gradstep/nn only", () => {
    const files = readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith(".js"));
    const having = (text: string): string[] =>
      files.filter((f) => readFileSync(`${root}dist/${f}`, "utf8").includes(text)).sort();
    expect(having(readFileSync(`${root}build/kernels.wasm`, "base64"))).toEqual(["node/index.js"]);
    expect(having(readFileSync(`${root}build/nn.wasm`, "base64"))).toEqual(["node/chunks/nn-binary.js"]);
    expect(having('wasm/generated/nn-bytes.js"')).toEqual(["nn/binary/inlined.js"]);
    expect(having('"../chunks/nn-binary.js"')).toEqual(["node/nn/index.js"]);
  });

  test(
    "an uncaught error is a short text with its message, since Node prints the line that threw",
    { timeout: 120_000 },
    async () => {
      for (const code of [
        'import { Adam, ParameterDict } from "gradstep"; new Adam(new ParameterDict({ w: [3] }), { betas: [1.5, 0.9] });',
        'import { Adam, ParameterDict } from "gradstep"; new Adam(new ParameterDict({ w: [3] })).step(1);',
        'import { load } from "gradstep/checkpoint"; load(new Uint8Array(3), {});',
        'import { MLP } from "gradstep/nn"; new MLP([2]);',
        'import { Threads } from "gradstep/threads"; await Threads.create(-1);',
      ]) {
        const thrown = (await run("--input-type=module", "-e", code).catch((error: unknown) => error)) as {
          stderr: string;
        };
        expect(thrown.stderr, code).toMatch(/^(Type|Range)?Error: .*(expected|load)/m);
        expect(thrown.stderr.length, code).toBeLessThan(2500);
      }
    },
  );

  test("has in Node the public names only, in one file that all subpaths share", async () => {
    const code = `import * as gradstep from "gradstep";
      import { MLP } from "gradstep/nn";
      console.log(Object.keys(gradstep).join(), new MLP([2, 2]).params instanceof gradstep.ParameterDict);`;
    const names = Object.keys(await import("../../src/index.js")).sort();
    expect(await run("--input-type=module", "-e", code)).toBe(`${names.join(",")} true`);
    expect(readFileSync(`${root}dist/node/index.js`, "utf8")).not.toMatch(/[^\0-\x7f]|^import/m);
  });

  test("has no line over 500 characters, except for the binaries, which throw nothing", () => {
    for (const file of readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".js")) continue;
      const lines = readFileSync(`${root}dist/${file}`, "utf8").split("\n");
      const long = lines.filter((line) => line.length > 500);
      if (
        !/^(wasm\/generated\/((nn|tfjs|delta)-)?bytes|node\/(chunks\/(nn|tfjs|delta)-binary|index)|standalone\/(gradstep|tfjs-wasm))\.js$/.test(
          file,
        )
      )
        expect(long, file).toEqual([]);
      else if (!file.startsWith("standalone"))
        expect([long.length, long[0].replace(/".*"/, "")], file).toEqual([
          1,
          expect.stringMatching(/^(export )?const \w+ = ;$/),
        ]);
    }
  });

  test("imports no module of Node, which browsers lack", () => {
    const files = readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".js"),
    );
    expect(files).toContain("checkpoint/file.js");
    for (const file of files)
      expect(readFileSync(`${root}dist/${file}`, "utf8"), file).not.toMatch(/(from|import\(?) ?["'`]node:/);
  });

  test("type-checks in a strict consumer that checks libraries and has no DOM", { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(`${tmpdir()}/gradstep-`);
    try {
      // The declarations of TensorFlow.js and NATS need the DOM and do not pass: test/tfjs/types.slow.test.ts.
      const subpaths = Object.keys(manifest.exports).filter((subpath) => !/.\.|tfjs|distributed/.test(subpath));
      const code = subpaths.map((subpath, i) => `import * as part${i} from "gradstep${subpath.slice(1)}";`).join("\n");
      const use = `const params = new part0.ParameterDict({ w: [2] });
        const optimizer = new part0.Adam(params, { groups: [{ params: ["w"], lr: 0.1 }] });
        const stepped: boolean = optimizer.step({ skip: ["w"] });
        // @ts-expect-error: no such tensor
        params.data.v;
        // @ts-expect-error: no such option
        new part0.SGD(params, { learningRate: 1 });`;
      mkdirSync(`${folder}/node_modules`);
      symlinkSync(root, `${folder}/node_modules/gradstep`);
      writeFileSync(`${folder}/package.json`, `{ "type": "module" }`);
      writeFileSync(`${folder}/use.ts`, `${code}\n${use}`);
      const options = [
        "--strict",
        "--noEmit",
        "--skipLibCheck",
        "false",
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--lib",
        "es2022",
      ];
      const tsc = `${root}node_modules/typescript/bin/tsc`;
      const check = promisify(execFile)(process.execPath, [tsc, ...options, "use.ts"], { cwd: folder });
      await check.catch((error: unknown) => expect.fail((error as { stdout: string }).stdout));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("declares no type of the loader or of WebAssembly", () => {
    for (const file of ["index", "memory/arena", "memory/parameters", "optimizer/optimizer", "kernels", "nn/mlp"]) {
      const code = readFileSync(`${root}dist/${file}.d.ts`, "utf8").replace(/\/\*[^]*?\*\//g, "");
      expect(code, file).not.toMatch(/WebAssembly|assemblyscript/);
    }
  });
});
