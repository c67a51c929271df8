export const run = async ({ bundle, output, printed }) => ({
  version: await output(process.execPath, "--version"),
  result: await printed(process.execPath, await bundle({ entry: "cli", format: "esm" })),
});
