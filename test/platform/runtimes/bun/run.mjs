export const run = async ({ bundle, installed, output, printed }) => {
  const bun = installed("bun/bin/bun.exe");
  return {
    version: await output(bun, "--version"),
    result: await printed(bun, await bundle({ entry: "cli", format: "esm" })),
  };
};
