import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Plugin, defineConfig } from "vite";
import { joinChapters } from "../gpt/book.ts";
import { mnistDirectory, readDataset } from "../mnist/idx.ts";
import { pack } from "./digits/packing.ts";

const TRAIN_IMAGES = 30_000;
const TEST_IMAGES = 10_000;

/** Gives the pages MNIST and a book as files beside them: served while developing, written when building. */
function data(): Plugin {
  let files: Record<string, Uint8Array> | undefined;
  const make = (): Record<string, Uint8Array> => {
    const { train, test } = readDataset(mnistDirectory());
    return {
      "data/train.bin": gzipSync(pack(train, TRAIN_IMAGES), { level: 9 }),
      "data/test.bin": gzipSync(pack(test, TEST_IMAGES), { level: 9 }),
      "data/book.bin": gzipSync(joinChapters(), { level: 9 }),
    };
  };
  return {
    name: "data",
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const name = request.url?.slice(1) ?? "";
        if (!/^data\/(train|test|book)\.bin$/.test(name)) {
          next();
          return;
        }
        response.setHeader("Content-Type", "application/octet-stream");
        response.end((files ??= make())[name]);
      });
    },
    generateBundle() {
      for (const [fileName, source] of Object.entries(make())) this.emitFile({ type: "asset", fileName, source });
    },
  };
}

/** Puts addresses into the page: `%guide%` is that of the guide, from the page. */
function links(): Plugin {
  const { name, repository } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    name: string;
    repository?: { url: string };
  };
  const npm = `https://www.npmjs.com/package/${name}`;
  const addresses: Readonly<Record<string, string>> = {
    guide: process.env.GRADSTEP_GUIDE ?? "../",
    source: repository?.url.replace(/^git\+|\.git$/g, "") ?? `${npm}?activeTab=code`,
    package: npm,
  };
  return {
    name: "links",
    transformIndexHtml: (html) => html.replace(/%(guide|source|package)%/g, (_, which: string) => addresses[which]),
  };
}

/** With these headers a page is isolated, and may use threads. */
const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  plugins: [data(), links()],
  server: { headers: isolation },
  preview: { headers: isolation },
  worker: { format: "es" },
  build: {
    outDir: "../../dist-site",
    emptyOutDir: true,
    rolldownOptions: {
      input: ["index.html", "gpt.html", "tfjs.html"].map((page) => fileURLToPath(new URL(page, import.meta.url))),
    },
    target: "es2022",
    assetsInlineLimit: 0, // data: URLs are not in the content security policy
  },
});
