// The page: tells the worker when to train, and shows what it reports.
import type { Report, Request, Start } from "./messages.ts";
import { Picture } from "./picture.ts";

const element = (id: string): HTMLElement => document.getElementById(id)!;
const [train, restart] = [element("train") as HTMLButtonElement, element("restart") as HTMLButtonElement];
const progress = element("progress") as HTMLProgressElement;
const status = element("status");
const picture = new Picture(element("picture") as HTMLCanvasElement);

const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const ask = (request: Request): void => worker.postMessage(request);
let training = false;

worker.addEventListener("message", ({ data }: MessageEvent<Start | Report>) => {
  if ("y" in data) {
    picture.points = data;
    train.disabled = restart.disabled = false;
    status.textContent = "Ready to train.";
  } else show(data);
});
worker.addEventListener("error", (event) => {
  train.disabled = restart.disabled = true;
  status.textContent = `The worker has stopped: ${event.message || "it could not be loaded"}.`;
});

train.addEventListener("click", () => {
  setTraining(!training);
  status.textContent = training ? "Training." : "Paused.";
  ask(training ? "train" : "pause");
});
restart.addEventListener("click", () => {
  setTraining(false);
  train.disabled = false;
  status.textContent = "Ready to train.";
  ask("restart");
});

function setTraining(now: boolean): void {
  training = now;
  train.textContent = training ? "Pause" : "Train";
}

function show({ step, steps, loss, accuracy, speed, sure }: Report): void {
  progress.value = step / steps;
  element("step").textContent = step.toLocaleString();
  element("loss").textContent = loss.toFixed(4);
  element("accuracy").textContent = accuracy.toFixed(3);
  if (speed !== undefined) element("speed").textContent = Math.round(speed).toLocaleString();
  picture.draw(sure);
  if (step < steps || !training) return;
  setTraining(false);
  train.disabled = true;
  status.textContent = "Trained.";
}
