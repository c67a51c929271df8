import "./locale.ts";
import { DigitsSection } from "../digits/section.ts";
import { SpeedSection } from "../speed/section.ts";
import { RaceSection } from "../surfaces/section.ts";
import { copyOnClick } from "./copy.ts";
import { byId } from "./dom.ts";

copyOnClick(byId("copy-install", HTMLButtonElement), () => byId("install", HTMLElement).textContent);
new RaceSection();
new DigitsSection();
new SpeedSection();
document.documentElement.dataset.ready = "true";
