// A process of the cluster that can be killed and started again.
import type { ChildProcess } from "node:child_process";
import type { CoordinatorMessage, PartState, Status, WorkerMessage } from "./state.ts";

/** Of what a process says at its end, so many characters are kept. */
const KEPT = 4000;

/** Who is told what happens to a part. */
export interface Listener {
  message(part: Part, message: CoordinatorMessage | WorkerMessage): void;
  /** `said`: its last words, if it failed. */
  changed(part: Part, said?: string): void;
}

export class Part {
  #child: ChildProcess | undefined;
  #status: Status = "done";
  /** Settled when the process is gone. */
  #gone = Promise.resolve();

  /** @param launch Starts the process. */
  constructor(
    readonly name: string,
    readonly role: PartState["role"],
    readonly launch: () => ChildProcess,
    readonly listener: Listener,
  ) {}

  get state(): PartState {
    return { name: this.name, role: this.role, status: this.#status, pid: this.#child?.pid };
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  start(): void {
    if (this.#child !== undefined) return;
    const child = this.launch();
    this.#child = child;
    this.#status = "running";
    let said = "";
    let failure: string | undefined;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-KEPT)));
    child.on("message", (message: CoordinatorMessage | WorkerMessage) => {
      if (message.kind === "failed") failure = message.message;
      else if (this.#child === child) this.listener.message(this, message);
    });
    this.#gone = new Promise((resolve) => {
      const end = (status: Status, why?: string): void => {
        if (this.#child === child) {
          this.#child = undefined;
          this.#status = status;
          this.listener.changed(this, why);
        }
        resolve();
      };
      child.once("error", (error) => end("failed", error.message));
      child.once("close", (code, signal) => {
        // A server that is told to stop ends with 0.
        const isKilled = signal !== null || (this.role === "server" && code === 0);
        if (failure === undefined && (isKilled || code === 0)) end(isKilled ? "killed" : "done");
        else end("failed", failure ?? (said.trim() || `exit code ${code}`));
      });
    });
    this.listener.changed(this);
  }

  /** Kills the process, as kill -9 does; resolves when it is gone. */
  async kill(): Promise<void> {
    this.killNow();
    await this.#gone;
  }

  /** Kills it without waiting. */
  killNow(): void {
    this.#child?.kill("SIGKILL");
  }

  /** Tells the process something. */
  send(message: object): void {
    this.#child?.send(message);
  }

  /** Kills a process that runs, starts one that does not. */
  async toggle(): Promise<void> {
    if (this.isRunning) await this.kill();
    else this.start();
  }
}
