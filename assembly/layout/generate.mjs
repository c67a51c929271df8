// Writes the constants of assembly/layout/ to src/wasm/generated/layout/: TypeScript and the kernels share one definition.
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const FROM = "assembly/layout";
const TO = "src/wasm/generated/layout";
/** A constant and its docstring. */
const CONSTANT = /((?:\/\*\*(?:(?!\*\/)[^])*\*\/\n)?)export const (\w+): \w+ = [^;]+;/g;

/** @throws Error if a generated file has been edited by hand, since the kernels would not see that change. */
export async function generateLayout() {
  mkdirSync(TO, { recursive: true });
  const files = readdirSync(FROM);
  const changed = Math.max(...files.map((file) => statSync(`${FROM}/${file}`).mtimeMs));
  for (const file of files.filter((name) => name.endsWith(".ts"))) {
    const target = `${TO}/${file}`;
    const text = await generate(`${FROM}/${file}`);
    const existing = statSync(target, { throwIfNoEntry: false });
    if (existing !== undefined && readFileSync(target, "utf8") === text) continue;
    if (existing !== undefined && existing.mtimeMs > changed)
      throw new Error(`${target} is generated, but has been edited: change ${FROM}/${file} instead`);
    writeFileSync(target, text);
  }
}

async function generate(source) {
  const { outputFiles } = await build({ entryPoints: [source], bundle: true, write: false, format: "esm" });
  const values = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
  const text = readFileSync(source, "utf8");
  const constants = Array.from(text.matchAll(CONSTANT), ([, doc, name]) => [
    name,
    `${doc}export const ${name} = ${values[name]};\n`,
  ]);
  const missed = Object.keys(values).filter((name) => !constants.some(([known]) => known === name));
  if (missed.length > 0) throw new Error(`${source}: write ${missed.join(", ")} as "export const NAME: type = value;"`);
  return `// Generated from ${source} by assembly/build.mjs: do not edit.\n${constants.map(([, line]) => line).join("")}`;
}
