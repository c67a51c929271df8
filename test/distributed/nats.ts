// NATS servers with JetStream on free ports, with data below the system's temporary folder.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, type NatsConnection, connect } from "@nats-io/transport-node";

/** The server's binary: $NATS_SERVER, or one on the PATH. */
export function findServer(): string | undefined {
  const { NATS_SERVER } = process.env;
  if (NATS_SERVER !== undefined && existsSync(NATS_SERVER)) return NATS_SERVER;
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin"];
  return folders.map((folder) => join(folder, "nats-server")).find((path) => existsSync(path));
}

export const versionOf = (binary: string): string => execFileSync(binary, ["--version"], { encoding: "utf8" }).trim();

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** A server that can be killed, stopped for a while and started again on its port. */
export class Server {
  #process: ChildProcess | undefined;

  private constructor(
    readonly binary: string,
    readonly port: number,
    readonly webSocketPort: number,
    readonly folder: string,
  ) {}

  /** Starts a server. `config`: more lines of its configuration. */
  static async start(config = "", binary = findServer()): Promise<Server> {
    if (binary === undefined) throw new Error("no nats-server: install it, or set NATS_SERVER to its path");
    const folder = mkdtempSync(join(tmpdir(), "gradstep-nats-"));
    const server = new Server(binary, await freePort(), await freePort(), folder);
    const { port, webSocketPort } = server;
    const text = `listen: "127.0.0.1:${port}"
jetstream { store_dir: "${folder}/store" }
websocket { listen: "127.0.0.1:${webSocketPort}", no_tls: true }
${config}`;
    writeFileSync(join(folder, "nats.conf"), text);
    await server.up();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  /** Megabytes of memory that the process has at present; Linux only. */
  get megabytes(): number {
    const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))!;
    return Math.round(Number(kilobytes) / 1024);
  }

  /** Starts the process and waits until it listens. */
  async up(): Promise<void> {
    const log = join(this.folder, "log");
    this.#process = spawn(this.binary, ["-c", join(this.folder, "nats.conf"), "-l", log], { stdio: "ignore" });
    for (let i = 0; ; i++) {
      try {
        const nc = await connect({ servers: this.url, reconnect: false, timeout: 1000, ignoreAuthErrorAbort: true });
        await nc.close();
        return;
      } catch (error) {
        if (i >= 100 || /authorization/i.test(String(error))) {
          if (i >= 100) throw error;
          return;
        }
        await sleep(50);
      }
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** Kills the process; `wipe`: and removes what it has stored. */
  async kill(wipe = false): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
      await exited;
    }
    if (wipe) rmSync(join(this.folder, "store"), { recursive: true, force: true });
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  connect(options: ConnectionOptions = {}): Promise<NatsConnection> {
    return connect({
      servers: this.url,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      waitOnFirstConnect: true,
      ...options,
    });
  }
}
