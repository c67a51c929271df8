import "./locale.ts";
import { DigitsSection } from "../digits/section.ts";
import { SpeedSection } from "../speed/section.ts";
import { Surfaces } from "../surfaces/section.ts";

new Surfaces();
new DigitsSection();
new SpeedSection();
document.documentElement.dataset.ready = "true";
