// What a server for tests in browsers is made of: this folder's libraries, for other tests too.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";

export { default as sirv } from "sirv";

/** The script of axe-core. */
export const axe = (): string => readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** A file of TypeScript as a script for a page. */
export const compile = (file: URL): string =>
  transformSync(readFileSync(file, "utf8"), { loader: "ts", format: "iife" }).code;
