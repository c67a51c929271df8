// The guide: docs/*.md as a static site in out/site, which works under any path and asks no other host for anything.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type DefaultTheme, type UserConfig, defineConfig } from "vitepress";
import { sections } from "./pages.ts";

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const icon = `data:image/svg+xml;base64,${readFileSync(path("examples/playground/icon.svg"), "base64")}`;
/** What `npm run site` puts beside the guide. The guide's router does not know these pages: a browser loads them. */
const BESIDE = /^\.?\/?(playground|api)\//;

const config: UserConfig<DefaultTheme.Config> = {
  lang: "en",
  title: "gradstep",
  description: "torch.optim for JavaScript: optimizers as fused WebAssembly SIMD kernels",
  base: "./",
  outDir: path("out/site"),
  cacheDir: path("out/.vitepress"),
  head: [["link", { rel: "icon", href: icon }]],
  ignoreDeadLinks: [BESIDE],
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config(md) {
      const render = md.renderer.rules.link_open!;
      md.renderer.rules.link_open = (tokens, index, ...others) => {
        if (BESIDE.test(tokens[index].attrGet("href") ?? "")) tokens[index].attrSet("target", "_self");
        return render(tokens, index, ...others);
      };
    },
  },
  themeConfig: {
    logo: icon,
    nav: [
      { text: "Guide", link: "/getting-started" },
      { text: "Optimizers", link: "/rules" },
      { text: "Reference", link: "/api/index.html", target: "_self" },
      { text: "Playground", link: "/playground/index.html", target: "_self" },
    ],
    sidebar: sections.map(({ text, items }) => ({ text, items: [...items] })),
    outline: [2, 3],
    search: { provider: "local" },
  },
};

export default defineConfig(config);
