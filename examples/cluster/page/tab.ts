// This tab as a worker: its Web Worker, which can be killed and started as the processes can.
import type { State } from "../state.ts";
import type { Reply, Request } from "./messages.ts";

export class Tab {
  readonly name = `tab-${Math.random().toString(36).slice(2, 8)}`;
  #worker: Worker | undefined;
  #text = "";
  /** The run that it works for, or has worked for. */
  #run = 0;
  #isWanted = true;

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /** What it does. */
  get text(): string {
    return this.#text;
  }

  /** Works for each new run. */
  follow({ run, webSocketPort }: State): void {
    if (!this.#isWanted || this.#run === run) return;
    this.#run = run;
    this.#worker ??= this.#make();
    const server = `ws://${location.hostname}:${webSocketPort}`;
    this.#worker.postMessage({ server, name: this.name } satisfies Request);
  }

  toggle(): void {
    this.#isWanted = !this.isRunning;
    this.#run = 0; // to work again for the same run
    if (this.#isWanted) return;
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#text = "killed";
  }

  #make(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      const texts = { fetching: "fetching images", connecting: "waiting for the run", joined: "", ended: "done" };
      if (data.kind !== "failed") this.#text = texts[data.kind];
      else {
        this.#text = data.message;
        worker.terminate();
        this.#worker = undefined;
        this.#isWanted = false;
      }
    });
    worker.addEventListener("error", ({ message }) => (this.#text = `failed: ${message}`));
    return worker;
  }
}
