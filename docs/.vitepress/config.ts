// The guide: docs/*.md as a static site in out/site, which works under any path and asks no other host for anything.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type DefaultTheme, type UserConfig, defineConfig } from "vitepress";
import { sections } from "./pages.ts";

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const icon = `data:image/svg+xml;base64,${readFileSync(path("examples/playground/icon.svg"), "base64")}`;
/** What `npm run site` puts beside the guide. The guide's router does not know these pages: a browser loads them. */
const BESIDE = /^\.?\/?(playground|api)\//;
const LIGHT = /-light(\.\w+)$/;

const config: UserConfig<DefaultTheme.Config> = {
  lang: "en",
  title: "gradstep",
  description: "torch.optim for JavaScript: optimizers as fused WebAssembly SIMD kernels",
  base: "./",
  outDir: path("out/site"),
  cacheDir: path("out/.vitepress"),
  head: [["link", { rel: "icon", href: icon }]],
  router: { prefetchLinks: false },
  ignoreDeadLinks: [BESIDE],
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    config(md) {
      const { image, link_open: link } = md.renderer.rules;
      md.renderer.rules.link_open = (tokens, index, ...others) => {
        if (BESIDE.test(tokens[index].attrGet("href") ?? "")) tokens[index].attrSet("target", "_self");
        return link!(tokens, index, ...others);
      };
      // A picture whose name ends in -light stands for itself and for that in -dark: the theme shows one of them.
      md.renderer.rules.image = (tokens, index, ...others) => {
        const source = tokens[index].attrGet("src") ?? "";
        if (!LIGHT.test(source)) return image!(tokens, index, ...others);
        return Object.entries({ light: source, dark: source.replace(LIGHT, "-dark$1") })
          .map(([form, file]) => {
            tokens[index].attrSet("src", file);
            tokens[index].attrSet("class", `${form}-form`);
            return image!(tokens, index, ...others);
          })
          .join("");
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
