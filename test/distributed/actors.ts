// Coordinators and workers as processes, which tests kill, stop and start again.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import type { Progress } from "../../src/distributed/index.js";
import type { ActorSettings } from "./actor.js";

/** A temporary folder with actor.js in it, one file that starts fast. */
export async function buildActor(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "gradstep-actor-"));
  await build({
    entryPoints: ["test/distributed/actor.ts"],
    outfile: join(folder, "actor.cjs"),
    bundle: true,
    platform: "node",
    format: "cjs",
    logLevel: "error",
  });
  return folder;
}

/** A process that is started again whenever it is killed, until it ends by itself. */
export class Actor {
  #process!: ChildProcess;
  readonly rounds: { readonly progress: Progress; readonly at: number }[] = [];
  hash: string | undefined;
  errors = "";
  #exited!: Promise<number | null>;

  constructor(
    readonly folder: string,
    readonly role: "coordinator" | "worker",
    readonly url: string,
    readonly run: string,
    readonly settings: ActorSettings,
  ) {
    this.start();
  }

  start(): void {
    const args = [join(this.folder, "actor.cjs"), this.role, this.url, this.run, JSON.stringify(this.settings)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#read(line);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.errors += text));
    this.#exited = new Promise((resolve) => child.once("exit", resolve));
  }

  #read(line: string): void {
    const { hash, ...progress } = JSON.parse(line) as Progress & { hash?: string };
    if (hash !== undefined) this.hash = hash;
    else if (progress.round > (this.rounds.at(-1)?.progress.round ?? 0))
      this.rounds.push({ progress, at: performance.now() });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Kills the process and waits until it is gone. */
  async kill(): Promise<void> {
    this.#process.kill("SIGCONT");
    this.#process.kill("SIGKILL");
    await this.#exited;
  }

  /** Waits until the process ends by itself; gives its exit code. */
  async ended(): Promise<number | null> {
    return this.#exited;
  }
}
