export const run = async ({ bundle, installed, output, printed }) => {
  const deno = installed("deno/deno");
  return {
    version: (await output(deno, "--version")).split(" ")[1],
    result: await printed(deno, "run", await bundle({ entry: "cli", format: "esm" })), // no permissions
  };
};
