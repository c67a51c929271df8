import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { contenders } from "./list.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A contender could not do what it was asked: the message is the reason that the tables show. */
export class Failure extends Error {}

/** The line of a process's last words that says what happened. */
function telling(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  return (
    lines.find((line) => /error|out of memory|fatal/i.test(line)) ?? lines.findLast((line) => line !== "") ?? "no word"
  );
}

/** A contender in a process of its own, which stays idle while it is not asked. */
export class Peer {
  #process: { child: ChildProcess; lines: AsyncIterator<string> } | undefined;
  #stderr = "";

  private constructor(
    readonly name: string,
    readonly command: readonly string[],
  ) {}

  #start(): { child: ChildProcess; lines: AsyncIterator<string> } {
    const [command, ...args] = this.command;
    this.#stderr = "";
    const child = spawn(command, args, { stdio: "pipe" });
    child.on("error", (error) => (this.#stderr += error.message));
    child.stdin.on("error", () => undefined); // the reader sees the end too
    child.stderr.on("data", (text: Buffer) => (this.#stderr = (this.#stderr + text.toString()).slice(-2000)));
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  }

  /** A text says why this contender cannot take part. */
  static async start(name: string, folder: string): Promise<Peer | string> {
    const entry = contenders[name];
    if (!("gcc" in entry && entry.gcc))
      return new Peer(name, [process.execPath, ...process.execArgv, here("child.ts"), name]);
    const program = join(folder, name);
    try {
      execFileSync("gcc", [...entry.gcc, here("steps.c"), "-lm", "-o", program], { stdio: "pipe" });
    } catch (error) {
      const { code, stderr } = error as { code?: string; stderr?: Buffer };
      return code === "ENOENT" ? "there is no gcc on this machine" : `gcc: ${String(stderr).split("\n")[0]}`;
    }
    return new Peer(name, [program]);
  }

  /** The answer to a line of child.ts's protocol. A process that ended is started anew by the next line. */
  async ask(line: string): Promise<string> {
    this.#process ??= this.#start();
    const { child, lines } = this.#process;
    child.stdin!.write(`${line}\n`);
    const { value, done } = await lines.next();
    if (done) {
      this.#process = undefined;
      throw new Failure(`its process ended: ${telling(this.#stderr)}`);
    }
    if (value.startsWith("error ")) throw new Failure(value.slice(6));
    return value;
  }

  async number(line: string): Promise<number> {
    return Number(await this.ask(line));
  }

  stop(): void {
    this.#process?.child.kill();
  }
}

/** Starts contenders and hands them over, with the reasons of those that cannot take part; stops them at the end. */
export async function withPeers<T>(
  names: readonly string[],
  use: (peers: readonly Peer[], absent: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "gradstep-peers-"));
  const peers: Peer[] = [];
  const absent: Record<string, string> = {};
  try {
    for (const name of names) {
      const peer = await Peer.start(name, folder);
      if (typeof peer === "string") absent[name] = peer;
      else peers.push(peer);
    }
    return await use(peers, absent);
  } finally {
    for (const peer of peers) peer.stop();
    rmSync(folder, { recursive: true });
  }
}
