// The page of the GPT: ties its controls to the worker that trains and writes.
import "../page/locale.ts";
import { Curve } from "../digits/charts.ts";
import { byId, make, setText } from "../page/dom.ts";
import type { Reply, Request } from "./messages.ts";

/** Texts on the page, the newest first. */
const MOST_TEXTS = 8;
const count = (value: number): string => value.toLocaleString("en-GB");

const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const train = byId("train", HTMLButtonElement);
const restart = byId("restart", HTMLButtonElement);
const texts = byId("texts", HTMLOListElement);
const loss = new Curve("loss");
let training = false;

const ask = (request: Request): void => worker.postMessage(request);
const say = (text: string): void => setText(byId("status", HTMLElement), text);

function setTraining(value: boolean): void {
  training = value;
  train.textContent = training ? "Pause" : "Train";
}

function showText(steps: number, prompt: string, text: string): void {
  const about = make("span", { class: "about" }, `after ${count(steps)} steps`);
  texts.prepend(make("li", {}, about, make("p", {}, make("b", {}, prompt), text)));
  while (texts.children.length > MOST_TEXTS) texts.lastElementChild?.remove();
}

function hear(reply: Reply): void {
  switch (reply.kind) {
    case "ready":
      train.disabled = restart.disabled = false;
      setText(byId("parameters", HTMLElement), count(reply.parameters));
      setText(byId("threads", HTMLElement), String(reply.threads));
      say(`Ready: ${count(reply.characters)} characters of Moby Dick to learn.`);
      return;
    case "progress":
      if (!training) return;
      loss.add(reply.steps / 1000, reply.loss);
      setText(byId("loss", HTMLElement), reply.loss.toFixed(2));
      setText(byId("steps", HTMLElement), count(reply.steps));
      setText(byId("rate", HTMLElement), count(reply.charactersPerSecond));
      return;
    case "written":
      showText(reply.steps, reply.prompt, reply.text);
      return;
    case "failed":
      say(`That failed: ${reply.message}.`);
  }
}

train.addEventListener("click", () => {
  setTraining(!training);
  ask({ kind: training ? "train" : "pause" });
  say(training ? "Training; it writes every second or two." : "Paused.");
});
restart.addEventListener("click", () => {
  setTraining(false);
  ask({ kind: "restart" });
  loss.clear();
  texts.replaceChildren();
  for (const id of ["loss", "rate"]) setText(byId(id, HTMLElement), "–");
  setText(byId("steps", HTMLElement), "0");
  say("A new network, untrained: press Train.");
});
byId("prompt", HTMLInputElement).addEventListener("change", ({ target }) => {
  ask({ kind: "prompt", text: (target as HTMLInputElement).value });
});
worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => hear(data));
worker.addEventListener("error", ({ message }) => say(`The worker failed: ${message}`));
say("Fetching the book, 0.5 MB…");
ask({ kind: "open", book: new URL("data/book.bin", document.baseURI).href });
document.documentElement.dataset.ready = "true";
