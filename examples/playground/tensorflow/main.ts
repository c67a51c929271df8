// The page of TensorFlow.js: a table of what its worker has measured.
import "../page/locale.ts";
import { byId, make, setText } from "../page/dom.ts";
import { type Measured, type NetworkName, type Reply, networks } from "./messages.ts";

const measure = byId("measure", HTMLButtonElement);
const rows = byId("rows", HTMLTableSectionElement);
const cells = new Map<NetworkName, HTMLTableCellElement[]>();
let worker: Worker | undefined;

const say = (text: string): void => setText(byId("status", HTMLElement), text);
const number = (value: number): string => value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
const shown = (value: Measured): string => (typeof value === "number" ? `${number(value)} ms` : value.split("\n")[0]);

for (const [name, title] of Object.entries(networks) as [NetworkName, string][]) {
  const row = [make("td"), make("td"), make("td")];
  for (const cell of row) cell.textContent = "–";
  cells.set(name, row);
  rows.append(make("tr", {}, make("th", { scope: "row" }, title), ...row));
}

function hear(reply: Reply): void {
  if (reply.kind === "done") {
    measure.disabled = false;
    say("Done. Alone, the backend has no gradients of convolutions.");
    return;
  }
  const { name, alone, ours } = reply;
  const faster = typeof alone === "number" && typeof ours === "number" ? number(alone / ours) : "–";
  const texts = [shown(alone), shown(ours), faster];
  cells.get(name)?.forEach((cell, i) => setText(cell, texts[i]));
  say(`Measured ${networks[name]}.`);
}

measure.addEventListener("click", () => {
  measure.disabled = true;
  say("Measuring…");
  if (worker === undefined) {
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => hear(data));
    worker.addEventListener("error", ({ message }) => say(`The worker failed: ${message}`));
  }
  worker.postMessage("measure");
});
document.documentElement.dataset.ready = "true";
