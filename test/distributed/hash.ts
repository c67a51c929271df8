// The hash by which tests compare the results of runs.
import { createHash } from "node:crypto";
import type { ParameterDict } from "../../src/index.js";

/** The SHA-256 of all parameters. */
export function hashOf(params: ParameterDict): string {
  const hash = createHash("sha256");
  for (const name of params.names) hash.update(new Uint8Array(params.data[name].slice().buffer));
  return hash.digest("hex");
}
