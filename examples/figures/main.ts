import { mkdirSync, writeFileSync } from "node:fs";
import { figures } from "./figures.ts";

/** Draws every picture into docs/figures. */
const folder = new URL("../../docs/figures/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, draw] of Object.entries(figures)) {
  const svg = draw();
  writeFileSync(new URL(name, folder), svg);
  console.log(`docs/figures/${name}  ${(svg.length / 1024).toFixed(0)} KB`);
}
