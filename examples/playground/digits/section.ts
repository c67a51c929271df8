import { rules, ruleNames, type RuleName } from "../../mnist/rules.ts";
import { byId, fillSelect } from "../page/dom.ts";
import { placeSlider, readSlider } from "../page/slider.ts";
import { type Knob, rate } from "../surfaces/knobs.ts";
import { Curve } from "./charts.ts";
import { Classes } from "./classes.ts";
import { Filters } from "./filters.ts";
import { CONVOLUTIONS, type Progress, type Reply, type Request, type Setup, type Standing } from "./messages.ts";
import { Pad } from "./pad.ts";

const HIDDEN = ["", "32", "128", "128 64", "256", "512", CONVOLUTIONS];
const FIRST: Setup = { rule: "adam", lr: rules.adam.lr, hidden: [128] };
const EPOCHS = [1, 3, 5, 10, 20];

const readHidden = (text: string): Setup["hidden"] =>
  text === CONVOLUTIONS ? text : text.split(" ").filter(Boolean).map(Number);
const hiddenText = (hidden: Setup["hidden"]): string => (hidden === CONVOLUTIONS ? hidden : hidden.join(" "));

/** The digits: ties the controls, the curves and the drawing area to the worker that trains. */
export class DigitsSection {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  readonly #rule = byId("learn-rule", HTMLSelectElement);
  readonly #hidden = byId("hidden", HTMLSelectElement);
  readonly #epochs = byId("epochs", HTMLSelectElement);
  readonly #rate = byId("learn-rate", HTMLInputElement);
  readonly #rateValue = byId("learn-rate-value", HTMLOutputElement);
  readonly #train = byId("train", HTMLButtonElement);
  readonly #curves = { loss: new Curve("loss"), accuracy: new Curve("accuracy") };
  readonly #classes = new Classes();
  readonly #filters = new Filters();
  readonly #pad: Pad;
  #setup = FIRST;
  #image: Float32Array | undefined;
  #label: number | undefined;
  /** Whether a prediction is on its way, and whether the drawing or the network has changed since. */
  #asked = false;
  #stale = false;
  #training = false;
  /** Whether the network has learned anything, here or before it was loaded. */
  #trained = false;

  constructor() {
    this.#pad = new Pad((image) => {
      this.#image = image;
      if (image === undefined) this.#classes.clear(this.#trained);
      else this.#predict();
    });
    this.#wire();
    this.#showSetup(FIRST);
    this.#enable(false);
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => this.#hear(data));
    this.#worker.addEventListener("error", ({ message }) => this.#say(`The worker failed: ${message}`));
    this.#openInView();
  }

  /** Fetches the images when a person comes to this part: they are ten times the rest of the page. */
  #openInView(): void {
    const observer = new IntersectionObserver(
      ([{ isIntersecting }]) => {
        if (!isIntersecting) return;
        observer.disconnect();
        this.#say("Fetching the images, 3.8 MB…");
        const url = (name: string): string => new URL(`data/${name}.bin`, document.baseURI).href;
        this.#ask({ kind: "open", train: url("train"), test: url("test"), setup: FIRST });
      },
      { rootMargin: "0px 0px -80px" },
    );
    observer.observe(byId("learn", HTMLElement));
  }

  #wire(): void {
    fillSelect(
      this.#rule,
      ruleNames.map((name) => [name, rules[name].about]),
      FIRST.rule,
    );
    fillSelect(
      this.#hidden,
      HIDDEN.map((widths) => [widths, widths === "" ? "none" : widths.replace(" ", " + ")]),
      "128",
    );
    fillSelect(
      this.#epochs,
      EPOCHS.map((epochs) => [String(epochs), String(epochs)]),
      "5",
    );
    this.#rule.addEventListener("change", () => {
      const rule = this.#rule.value as RuleName;
      this.#restart({ ...this.#setup, rule, lr: rules[rule].lr });
    });
    this.#hidden.addEventListener("change", () => {
      this.#restart({ ...this.#setup, hidden: readHidden(this.#hidden.value) });
    });
    this.#rate.addEventListener("input", () => {
      const lr = readSlider(this.#rate, this.#rateValue, this.#knob());
      this.#setup = { ...this.#setup, lr };
      this.#ask({ kind: "rate", lr });
    });
    this.#train.addEventListener("click", () => {
      if (this.#training) this.#ask({ kind: "pause" });
      else this.#ask({ kind: "train", epochs: Number(this.#epochs.value) });
      this.#setTraining(!this.#training);
    });
    byId("restart", HTMLButtonElement).addEventListener("click", () => this.#restart(this.#setup));
    byId("save", HTMLButtonElement).addEventListener("click", () => this.#ask({ kind: "save" }));
    const load = byId("load", HTMLInputElement);
    load.addEventListener("change", () => void this.#load(load));
    byId("clear", HTMLButtonElement).addEventListener("click", () => {
      this.#label = undefined;
      this.#pad.clear();
    });
    byId("example", HTMLButtonElement).addEventListener("click", () => this.#ask({ kind: "example" }));
    byId("pad", HTMLElement).addEventListener("pointerdown", () => (this.#label = undefined));
  }

  #ask(request: Request): void {
    this.#worker.postMessage(request);
  }

  #hear(reply: Reply): void {
    switch (reply.kind) {
      case "ready":
        byId("train-count", HTMLElement).textContent = reply.train.toLocaleString("en-GB");
        byId("threads", HTMLElement).textContent = String(reply.threads);
        this.#enable(true);
        this.#say("Ready to train.");
        return;
      case "fresh":
        this.#showStanding(reply.standing);
        return;
      case "progress":
        this.#showProgress(reply);
        return;
      case "stopped":
        this.#setTraining(false);
        this.#say(
          reply.finished ? `Trained: it reads ${this.#accuracyText()} of the test images correctly.` : "Paused.",
        );
        return;
      case "prediction":
        this.#asked = false;
        if (this.#image !== undefined) this.#classes.show(reply.probabilities, this.#trained, this.#label);
        if (this.#stale) this.#predict();
        return;
      case "example":
        this.#label = reply.label;
        this.#pad.show(reply.image);
        return;
      case "saved":
        this.#offer(reply.file, reply.standing);
        return;
      case "loaded":
        this.#setTrained(true);
        this.#curves.accuracy.add(reply.standing.epochs, reply.accuracy);
        this.#showAccuracy(reply.accuracy);
        this.#predict();
        this.#say(`Loaded: it reads ${this.#accuracyText()} of the test images correctly.`);
        return;
      case "failed":
        this.#setTraining(false);
        this.#asked = false;
        this.#say(`${reply.what === "load" ? "Not loaded" : "That failed"}: ${reply.message}`);
        return;
    }
  }

  #restart(setup: Setup): void {
    this.#ask({ kind: "restart", setup });
    this.#say("A new network, untrained: press Train.");
  }

  #showStanding(standing: Standing): void {
    this.#setTraining(false);
    this.#showSetup(standing.setup);
    for (const curve of Object.values(this.#curves)) curve.clear();
    this.#setTrained(false);
    byId("accuracy", HTMLElement).textContent = "untrained";
    for (const id of ["loss", "samples"]) byId(id, HTMLElement).textContent = "–";
    this.#showEpoch(standing.epochs);
    this.#filters.show(standing.filters);
    this.#predict();
  }

  #showSetup(setup: Setup): void {
    this.#setup = setup;
    this.#rule.value = setup.rule;
    const hidden = hiddenText(setup.hidden);
    if (![...this.#hidden.options].some(({ value }) => value === hidden))
      this.#hidden.add(new Option(hidden.replaceAll(" ", " + "), hidden));
    this.#hidden.value = hidden;
    placeSlider(this.#rate, this.#rateValue, this.#knob(), setup.lr);
  }

  #showProgress({ epochs, loss, accuracy, samplesPerSecond, filters }: Progress): void {
    this.#filters.show(filters);
    this.#setTrained(true);
    this.#curves.loss.add(epochs, loss);
    this.#curves.accuracy.add(epochs, accuracy);
    this.#showAccuracy(accuracy);
    byId("loss", HTMLElement).textContent = loss.toPrecision(3);
    byId("samples", HTMLElement).textContent = samplesPerSecond.toLocaleString("en-GB");
    this.#showEpoch(epochs);
    this.#predict();
  }

  #setTrained(trained: boolean): void {
    if (this.#trained === trained) return;
    this.#trained = trained;
    if (this.#image === undefined) this.#classes.clear(trained);
  }

  #showEpoch(epochs: number): void {
    byId("epoch", HTMLElement).textContent = Number.isInteger(epochs) ? String(epochs) : epochs.toFixed(1);
  }

  #showAccuracy(accuracy: number): void {
    const figure = byId("accuracy", HTMLElement);
    figure.textContent = `${(accuracy * 100).toFixed(1)}%`;
    figure.dataset.value = String(accuracy);
  }

  #accuracyText(): string {
    return byId("accuracy", HTMLElement).textContent;
  }

  #predict(): void {
    this.#stale = this.#asked;
    if (this.#asked || this.#image === undefined) return;
    this.#asked = true;
    this.#ask({ kind: "predict", image: this.#image });
  }

  #knob(): Knob {
    return rate(rules[this.#setup.rule].lr);
  }

  #setTraining(training: boolean): void {
    if (training) this.#say("Training…");
    this.#training = training;
    this.#train.textContent = training ? "Pause" : "Train";
  }

  /** Hands a file to the person, as a download. */
  #offer(file: Uint8Array<ArrayBuffer>, { setup, epochs }: Standing): void {
    const url = URL.createObjectURL(new Blob([file], { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `mnist-${setup.rule}-${epochs.toFixed(1)}.safetensors`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    this.#say(`Saved as ${link.download}.`);
  }

  async #load(input: HTMLInputElement): Promise<void> {
    const [file] = input.files ?? [];
    input.value = ""; // the same file can be chosen again
    this.#say(`Loading ${file.name}…`);
    this.#ask({ kind: "load", file: new Uint8Array(await file.arrayBuffer()) });
  }

  #enable(enabled: boolean): void {
    for (const id of ["train", "restart", "save", "example"]) byId(id, HTMLButtonElement).disabled = !enabled;
    byId("load", HTMLInputElement).disabled = !enabled;
  }

  #say(text: string): void {
    byId("learn-status", HTMLElement).textContent = text;
  }
}
