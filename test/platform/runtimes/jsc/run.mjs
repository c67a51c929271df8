import { fileURLToPath } from "node:url";

// The shell has no TextEncoder and TextDecoder, which checkpoints need.
const first = fileURLToPath(new URL("encoding.mjs", import.meta.url));

export const run = async ({ bundle, output, printed }) => ({
  version: await output(
    "dpkg-query",
    "--show",
    "--showformat=${source:Upstream-Version}",
    "libjavascriptcoregtk-4.0-bin",
  ),
  result: await printed("/usr/bin/jsc", await bundle({ entry: "cli", format: "iife", first })),
});
