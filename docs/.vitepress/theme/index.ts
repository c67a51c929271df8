/// <reference types="vite/client" />
// VitePress's own theme with the fonts of the system, the colours of the playground, and its race on the home page.
import { h } from "vue";
import DefaultTheme from "vitepress/theme-without-fonts";
import dark from "../../figures/race-dark.svg";
import light from "../../figures/race-light.svg";
import "./style.css";

const alt = "Seven optimizers race down Rosenbrock's function";
const race = () =>
  h("a", { class: "race", href: "./playground/index.html", target: "_self" }, [
    h("img", { class: "light-form", src: light, alt, width: 830, height: 400 }),
    h("img", { class: "dark-form", src: dark, alt, width: 830, height: 400 }),
  ]);

export default { extends: DefaultTheme, Layout: () => h(DefaultTheme.Layout, null, { "home-hero-image": race }) };
