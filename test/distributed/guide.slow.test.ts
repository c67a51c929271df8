// docs/distributed.md: its files type-check and run, and under its nats.conf a worker can do its work and nothing else.
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type NatsConnection, connect } from "@nats-io/transport-node";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Server, findServer, freePort } from "./nats.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(`${root}docs/distributed.md`, "utf8");
/** The blocks of the page that have a file's name. */
const files = Array.from(page.matchAll(/^```\w+ \[([\w.-]+)\]\n([^]*?)^```$/gm), ([, name, text]) => ({ name, text }));

const folder = mkdtempSync(`${tmpdir()}/gradstep-guide-`);
mkdirSync(`${folder}/node_modules`);
symlinkSync(root, `${folder}/node_modules/gradstep`);
symlinkSync(`${root}node_modules/@nats-io`, `${folder}/node_modules/@nats-io`);
symlinkSync(`${root}node_modules/@types`, `${folder}/node_modules/@types`);
writeFileSync(`${folder}/package.json`, `{ "type": "module" }`);
for (const { name, text } of files) writeFileSync(`${folder}/${name}`, text);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a file of the page; gives what it prints. */
async function run(name: string, env: Record<string, string>): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, ...env } };
  return (await promisify(execFile)(process.execPath, ["--import", import.meta.resolve("tsx"), name], options)).stdout;
}

test("all files pass the type checker", () => {
  const names = files.map(({ name }) => `${folder}/${name}`).filter((name) => name.endsWith(".ts"));
  expect(names).toHaveLength(6);
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, strict: true, noEmit: true };
  const more = {
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [`${root}node_modules/@types`],
  };
  const faults = ts.getPreEmitDiagnostics(ts.createProgram(names, { ...options, ...more }));
  const host = { getCanonicalFileName: String, getCurrentDirectory: () => folder, getNewLine: () => "\n" };
  expect(ts.formatDiagnostics(faults, host)).toBe("");
});

test("coordinator.ts and worker.ts train", async () => {
  const server = await Server.start();
  try {
    const env = { NATS_URL: server.url };
    const [coordinator, worker] = await Promise.all([run("coordinator.ts", env), run("worker.ts", env)]);
    const losses = Array.from(coordinator.matchAll(/^\d+ (\S+) \S+$/gm), ([, loss]) => Number(loss));
    expect(losses).toHaveLength(20);
    expect(losses[19]).toBeLessThan(losses[0] / 2);
    expect(worker).toBe("the run has ended; 80 tasks were done here\n");
  } finally {
    await server.end();
    rmSync(`${folder}/circle.safetensors`, { force: true });
  }
});

describe("nats.conf", () => {
  const passwords = { COORDINATOR_PASSWORD: "secret-c", W1_PASSWORD: "secret-1", TAB1_PASSWORD: "secret-t" };
  let server: ChildProcess;
  let port: number;
  let webSocketPort: number;

  beforeAll(async () => {
    const subject = "-subj /CN=localhost -addext subjectAltName=DNS:localhost -days 2".split(" ");
    const key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split(" ");
    const out = ["-keyout", "server-key.pem", "-out", "server.pem"];
    execFileSync("openssl", [...key, ...subject, ...out], { cwd: folder, stdio: "ignore" });
    [port, webSocketPort] = [await freePort(), await freePort()];
    const text = files.find(({ name }) => name === "nats.conf")!.text;
    const moved = text
      .replace("/var/lib/nats", `${folder}/jetstream`)
      .replace("0.0.0.0:4222", `127.0.0.1:${port}`)
      .replace("0.0.0.0:8443", `127.0.0.1:${webSocketPort}`);
    expect(moved).not.toContain("0.0.0.0");
    writeFileSync(`${folder}/nats.conf`, moved);
    const env = { ...process.env, ...passwords };
    server = spawn(findServer()!, ["-c", "nats.conf", "-l", "log"], { cwd: folder, env, stdio: "ignore" });
    for (let i = 0; i < 100 && !logged("Server is ready"); i++) await sleep(50);
    expect(logged("Server is ready")).toBe(true);
  });
  afterAll(async () => {
    const exited = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGKILL");
    await exited;
  });

  function logged(text: string): boolean {
    try {
      return readFileSync(`${folder}/log`, "utf8").includes(text);
    } catch {
      return false;
    }
  }
  const as = (user: string, pass: string, more: object = {}): Promise<NatsConnection> =>
    connect({
      ...{ servers: `localhost:${port}`, user, pass, inboxPrefix: `_INBOX_${user}`, reconnect: false },
      ...{ tls: { caFile: `${folder}/server.pem` }, ...more },
    });

  test("a worker of the page trains with a coordinator", async () => {
    const env = { ...passwords, NATS_URL: `tls://localhost:${port}`, NODE_EXTRA_CA_CERTS: `${folder}/server.pem` };
    const secured = `user: "coordinator", pass: "secret-c", inboxPrefix: "_INBOX_coordinator", tls: {}, ...patient`;
    const text = readFileSync(`${folder}/coordinator.ts`, "utf8");
    writeFileSync(`${folder}/secure-coordinator.ts`, text.replace("...patient", secured));
    const [coordinator, worker] = await Promise.all([run("secure-coordinator.ts", env), run("secure-worker.ts", env)]);
    expect(coordinator).toMatch(/^20 \S+ w1$/m);
    expect(worker).toBe("80 tasks\n");
  });

  const names = (error: unknown): unknown[] =>
    [error, (error as Error).cause].map((each) => (each as Error | undefined)?.name);

  describe("a worker", () => {
    let nc: NatsConnection;
    beforeAll(async () => {
      // The coordinator's streams are there: what is refused is refused by permissions.
      nc = await as("w1", "secret-1");
    });
    afterAll(() => nc.close());

    test.each([
      "gs.circle.up.1.0.w1",
      "$JS.API.DIRECT.GET.gs-circle-model",
      "$JS.API.CONSUMER.MSG.NEXT.gs-circle-task.workers",
    ])("may publish to %s", async (subject) => {
      const error: unknown = await nc.request(subject, "{}", { timeout: 300 }).catch((error: unknown) => error);
      expect(names(error)).not.toContain("PermissionViolationError");
    });

    test.each([
      "gs.circle.up.1.0.w2", // another's update
      "gs.circle.task.1.0",
      "gs.circle.model.0",
      "gs.circle.model.info",
      "gs.other.up.1.0.w1", // another run
      "$JS.API.INFO",
      "$JS.API.STREAM.NAMES",
      "$JS.API.STREAM.CREATE.mine",
      "$JS.API.STREAM.UPDATE.gs-circle-up",
      "$JS.API.STREAM.PURGE.gs-circle-up",
      "$JS.API.STREAM.DELETE.gs-circle-model",
      "$JS.API.STREAM.MSG.DELETE.gs-circle-up",
      "$JS.API.STREAM.MSG.GET.gs-circle-up",
      "$JS.API.DIRECT.GET.gs-circle-up", // others' updates
      "$JS.API.DIRECT.GET.gs-circle-task",
      "$JS.API.CONSUMER.CREATE.gs-circle-up",
      "$JS.API.CONSUMER.DURABLE.CREATE.gs-circle-task.mine",
      "$JS.API.CONSUMER.DELETE.gs-circle-task.workers",
      "$JS.ACK.gs-circle-up.x.1.1.1.1.0",
      "_INBOX_coordinator.x",
      "$SYS.REQ.SERVER.PING",
    ])("may not publish to %s", async (subject) => {
      const error: unknown = await nc.request(subject, "{}", { timeout: 3000 }).catch((error: unknown) => error);
      expect(names(error)).toContain("PermissionViolationError");
    });

    test.each([
      "gs.circle.up.>",
      "gs.circle.task.>",
      "gs.circle.model.0",
      ">",
      "_INBOX_coordinator.>",
      "$JS.>",
      "$SYS.>",
    ])("may not subscribe to %s", async (subject) => {
      const error = await new Promise<Error | null>((resolve) => void nc.subscribe(subject, { callback: resolve }));
      expect(names(error)).toContain("PermissionViolationError");
    });
  });

  test.each([
    ["a wrong password", () => as("w1", "wrong")],
    [
      "no user",
      () => connect({ servers: `localhost:${port}`, reconnect: false, tls: { caFile: `${folder}/server.pem` } }),
    ],
    ["a tab's user without WebSocket", () => as("tab1", "secret-t")],
    ["no TLS", () => as("w1", "secret-1", { tls: null })],
    ["a certificate that nobody has vouched for", () => as("w1", "secret-1", { tls: {} })],
  ])("%s: no connection", async (_, attempt) => {
    await expect(attempt()).rejects.toThrow();
  });

  test.each([
    ["https://train.example.org", 101],
    ["https://elsewhere.example.org", 403],
  ])("a page of %s: %i", async (origin, status) => {
    const headers = {
      ...{ Origin: origin, Connection: "Upgrade", Upgrade: "websocket" },
      ...{ "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==" },
    };
    const options = { host: "localhost", port: webSocketPort, ca: readFileSync(`${folder}/server.pem`), headers };
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request(options, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.once("upgrade", (response, socket) => {
        socket.destroy();
        resolve(response.statusCode);
      });
      asked.once("error", reject).end();
    });
    expect(answered).toBe(status);
  });
});
