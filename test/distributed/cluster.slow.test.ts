// npm run cluster: the same bits whatever is killed, and nothing left running when it ends.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { commandOf, run } from "../examples/command.ts";
import { temporaryFolder } from "../examples/tiny-files.ts";

const folder = temporaryFolder();
const SMALL = "--plain --rounds 5 --local-steps 60 --port 0".split(" ");
const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** A cluster of its own, whose temporary files are in `temporary`. */
function start(...args: string[]) {
  const temporary = `${folder}/${Math.random().toString(36).slice(2)}`;
  mkdirSync(temporary);
  const [file, ...words] = [...commandOf("cluster"), ...args];
  const child = spawn(file, words, {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.add(child);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const closed = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  const until = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const match = pattern.exec(output);
      if (match !== null) return match.at(1) ?? match[0];
      if (child.exitCode !== null) throw new Error(`no ${pattern} in\n${output}`);
      await sleep(20);
    }
  };
  const pidOf = (name: string): Promise<string> => until(new RegExp(`${name} started, process (\\d+)`));
  return { child, closed, until, pidOf, temporary };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("a worker from elsewhere; a worker, the coordinator and the server killed: the same bits", async () => {
  const alone = start(...SMALL, "--workers", "0");
  const server = await alone.until(/join (nats:\S+)/);
  const joined = await run(folder, ["join", server, "--workers", "1"], {}, "cluster");
  expect([joined.code, joined.stderr]).toEqual([0, ""]);
  expect(joined.stdout).toMatch(/\nthe run has ended; 2\d tasks were done here\n$/);
  expect(await alone.closed).toBe(0);

  const killed = start(...SMALL, "--workers", "2");
  await killed.until(/^round 1\//m);
  for (const name of ["worker-1", "coordinator", "server"]) {
    process.kill(Number(await killed.pidOf(name)), "SIGKILL");
    await killed.until(new RegExp(`${name} was killed`));
  }
  expect(await killed.closed).toBe(0);
  const sha = /^sha256 ([0-9a-f]{64})$/m;
  expect(await killed.until(sha)).toBe(await alone.until(sha));
});

test.each(["SIGINT", "SIGKILL"] as const)("%s ends all processes", async (signal) => {
  const cluster = start("--plain", "--workers", "2", "--port", "0");
  await cluster.until(/^round 1\//m);
  const names = ["server", "coordinator", "worker-1", "worker-2"];
  const pids = await Promise.all(names.map(async (name) => Number(await cluster.pidOf(name))));
  expect(pids.filter(isAlive)).toEqual(pids);
  cluster.child.kill(signal);
  expect(await cluster.closed).toBe(signal === "SIGINT" ? 130 : null);
  const left = (): string[] => readdirSync(cluster.temporary).filter((name) => name.startsWith("gradstep-"));
  for (let i = 0; i < 100 && (pids.some(isAlive) || left().length > 0); i++) await sleep(50);
  expect(pids.filter(isAlive)).toEqual([]);
  expect(left()).toEqual([]);
});

test.concurrent("--json prints one object", async () => {
  const { code, stdout, stderr } = await run(
    folder,
    "--json --rounds 1 --local-steps 5 --workers 1 --port 0".split(" "),
    {},
    "cluster",
  );
  expect([code, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toMatchObject({
    round: 1,
    refused: 0,
    options: { workers: 1, model: "mlp", localSteps: 5 },
  });
});

test.concurrent.each([
  ["--workers many", 2, /'--workers <n>' argument 'many' is invalid\. Expected a whole number from 0 to 64/],
  ["--lr -1", 2, /^error: SGD: "lr" expected/],
  ["--plain --lr 1e30 --workers 1 --port 0", 1, /^error: coordinator: coordinate: .*training diverged/],
  ["--model gpt", 2, /Expected one of mlp, cnn/],
  ["joni nats://localhost", 2, /unknown command 'joni'[^]*join|Options begin with --/],
  ["join nats://127.0.0.1:1", 1, /^error: cannot connect to nats:\/\/127\.0\.0\.1:1: /],
])("%s: exit code %i", async (args, exitCode, message) => {
  const { code, stderr } = await run(folder, args.split(" "), {}, "cluster");
  expect(stderr).toMatch(message);
  expect(code).toBe(exitCode);
});

test.concurrent("NATS_SERVER must be a server", async () => {
  const { code, stderr } = await run(folder, ["--plain", "--port", "0"], { NATS_SERVER: process.execPath }, "cluster");
  expect(stderr).toMatch(/^error: NATS_SERVER is .*node, which is no NATS server\n$/);
  expect(code).toBe(1);
  expect(existsSync(`${folder}/out`)).toBe(false);
});
