// npm run site [-- --open]: the guide, with the API reference in api/ and the playground in playground/, as one static site
// in out/site. It works under any path of any web server.
import { Command, InvalidArgumentError } from "commander";
import { cpSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { preview } from "vite";
import { build } from "vitepress";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const SITE = "out/site";
/** Folders of the site, and what the npm scripts before this one have built for them. */
const parts = { api: "out/api", playground: "dist-site" };

async function site({ open, port }) {
  await build("docs");
  for (const [part, built] of Object.entries(parts)) cpSync(built, `${SITE}/${part}`, { recursive: true });
  console.log(`The site is in ${SITE}.`);
  if (!open) return;
  const server = await preview({
    configFile: false,
    appType: "mpa",
    build: { outDir: SITE },
    preview: { host: "127.0.0.1", port, open: true },
  });
  server.printUrls();
}

new Command("npm run site --")
  .description("Builds the guide, the API reference and the playground into out/site.")
  .option("--open", "then serve the site and open it in the browser")
  .option("--port <number>", "where to serve it", portOf, 4173)
  .action(site)
  .parseAsync()
  .catch((error) => {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  });

function portOf(text) {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new InvalidArgumentError("Expected a whole number from 0 to 65535.");
  return port;
}
