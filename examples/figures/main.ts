import { mkdirSync, writeFileSync } from "node:fs";
import { figures } from "./figures.ts";
import { race } from "./race.ts";

/** Draws every picture into docs/figures. */
const folder = new URL("../../docs/figures/", import.meta.url);
mkdirSync(folder, { recursive: true });
const races = { "race-light.svg": () => race("light"), "race-dark.svg": () => race("dark") };
for (const [name, draw] of Object.entries({ ...figures, ...races })) {
  const svg = draw();
  writeFileSync(new URL(name, folder), svg);
  console.log(`docs/figures/${name}  ${(svg.length / 1024).toFixed(0)} KB`);
}
