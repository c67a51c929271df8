// Reads a file of test/fixtures, unpacked where it is stored compressed.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

export function fixture(name: string): Buffer {
  const bytes = readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
  return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}
