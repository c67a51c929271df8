// Runs over a real NATS server, in one process: one result whoever works, continuing, taking over, and what is refused.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { AdamW, SGD } from "../../src/index.js";
import {
  type CoordinateOptions,
  type JoinOptions,
  type Progress,
  coordinate,
  join,
} from "../../src/distributed/index.js";
import { Server } from "./nats.js";
import { hashOf } from "./hash.js";
import { coordinatorOptions, workerOptions } from "./training.js";

let server: Server;
const folder = mkdtempSync(joinPath(tmpdir(), "gradstep-distributed-"));
const connections: NatsConnection[] = [];
const connect = async (): Promise<NatsConnection> => {
  const nc = await server.connect();
  connections.push(nc);
  return nc;
};
beforeAll(async () => {
  server = await Server.start();
});
afterEach(async () => {
  await Promise.all(connections.splice(0).map((nc) => nc.close()));
});
afterAll(async () => {
  await server.end();
  rmSync(folder, { recursive: true });
});

let runs = 0;
const newRun = (): string => `run-${++runs}`;

/** Starts workers; the promise gives what each has done. */
async function work(
  run: string,
  count: number,
  more: Partial<JoinOptions> = {},
  delay = 0,
): Promise<Promise<number>[]> {
  const ncs = await Promise.all(Array.from({ length: count }, connect));
  return ncs.map((nc, i) => {
    return join(nc, workerOptions(run, { name: `w${i}`, ...more }, delay).options);
  });
}

/** Conducts a run to its end; `until`: to this round. */
async function conduct(options: CoordinateOptions, until = Infinity): Promise<Progress[]> {
  const seen: Progress[] = [];
  for await (const progress of coordinate(await connect(), options)) {
    seen.push(progress);
    if (progress.round >= until) break;
  }
  return seen;
}

let expected: string;
const isLong = import.meta.env.MODE === "long";
const COUNTS = [1, 2, 4, 8, ...(isLong ? [32, 200] : [])];
test(`${COUNTS.join(", ")} workers give the same bits, and a worker ends with the run's model`, async () => {
  const hashes: string[] = [];
  for (const count of COUNTS) {
    const options = coordinatorOptions(newRun());
    const done = await work(options.run, count);
    const rounds = await conduct(options);
    expect(rounds.map(({ round }) => round)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(rounds[7].loss).toBeLessThan(rounds[0].loss);
    const tasks = (await Promise.all(done)).reduce((sum, n) => sum + n, 0);
    const reissued = rounds.reduce((sum, round) => sum + round.reissued, 0);
    expect(tasks).toBeGreaterThanOrEqual(24);
    expect(tasks).toBeLessThanOrEqual(24 + reissued);
    hashes.push(hashOf(options.params as never));
    if (isLong) console.log(`${count} workers: the server has ${server.megabytes} MB of memory`);
  }
  expect(new Set(hashes).size).toBe(1);
  expected = hashes[0];
});

test("a worker waits for a run that does not exist yet; one that comes after its end ends at once", async () => {
  const options = coordinatorOptions(newRun());
  const done = await work(options.run, 1);
  await new Promise((resolve) => setTimeout(resolve, 700));
  await conduct(options);
  expect(await done[0]).toBe(24);
  const { mlp, options: late } = workerOptions(options.run);
  expect(await join(await connect(), late)).toBe(0);
  const { data } = options.params as typeof mlp.params;
  expect(mlp.params.data["0.bias"][3]).toBeCloseTo(data["0.bias"][3], 2);
});

describe("a checkpoint", () => {
  const checkpoint = joinPath(folder, "run.safetensors");

  test("continues with the same bits, and yields its last state once when the run has ended", async () => {
    const run = newRun();
    const done = await work(run, 2);
    expect(await conduct(coordinatorOptions(run, { checkpoint }), 3)).toHaveLength(3);
    const options = coordinatorOptions(run, { checkpoint });
    const rest = await conduct(options);
    expect(rest.map(({ round }) => round)).toEqual([4, 5, 6, 7, 8]);
    await Promise.all(done);
    expect(hashOf(options.params as never)).toBe(expected);

    const again = coordinatorOptions(run, { checkpoint });
    const [last, ...others] = await conduct(again);
    expect(others).toEqual([]);
    expect(last).toMatchObject({ round: 8, loss: rest[4].loss, workers: [] });
    expect(hashOf(again.params as never)).toBe(expected);
  });

  test.each([
    ["localSteps", { localSteps: 6 }, /"localSteps" 5, not 6/],
    ["seed", { seed: 2 }, /"seed" 1, not 2/],
    ["replicas", { replicas: 4 }, /"replicas" 3, not 4/],
  ])("of another %s is refused", async (_, change, message) => {
    await expect(conduct(coordinatorOptions(newRun(), { checkpoint, ...change }))).rejects.toThrow(message);
  });

  test("with another outer optimizer is refused", async () => {
    const options = coordinatorOptions(newRun(), { checkpoint });
    const { params } = options;
    options.optimizer.dispose();
    const optimizer = new SGD(params as never, { lr: 0.6, momentum: 0.9, nesterov: true });
    await expect(conduct({ ...options, optimizer })).rejects.toThrow("another outer optimizer");
  });
});

test("a second coordinator takes over, and the first ends with an error", async () => {
  const run = newRun();
  const done = await work(run, 2, {}, 20);
  const first = conduct(coordinatorOptions(run));
  first.catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const options = coordinatorOptions(run);
  expect(await conduct(options)).toHaveLength(8);
  await expect(first).rejects.toThrow(`coordinate: another coordinator holds "${run}"`);
  await Promise.all(done);
  expect(hashOf(options.params as never)).toBe(expected);
});

test("a worker with other parameters or another optimizer gets an error", async () => {
  const options = coordinatorOptions(newRun());
  const running = conduct(options);
  const nc = await connect();
  const { run } = options;
  const { MLP } = await import("../../src/nn/index.js");
  const other = new MLP([20, 16, 5], { batchSize: 16 });
  const step = (): number => 0;
  await expect(
    join(nc, { run, params: other.params, optimizer: new SGD(other.params, { lr: 0.1 }), step }),
  ).rejects.toThrow(`join: run "${run}" has 0.weight of shape [32, 20], yours is [16, 20]`);
  const done = await work(run, 1, {}, 30);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { mlp, options: given } = workerOptions(run);
  given.optimizer.dispose();
  const optimizer = new AdamW(mlp.params, { lr: 0.1 });
  await expect(join(nc, { ...given, optimizer })).rejects.toThrow(
    `join: run "${run}" trains with SGD, your optimizer is AdamW`,
  );
  optimizer.dispose();
  await expect(join(nc, { ...given, optimizer: new SGD(mlp.params, { lr: 0.2, momentum: 0.5 }) })).rejects.toThrow(
    `join: run "${run}" trains with "lr" 0.1, your SGD has 0.2`,
  );
  await running;
  await Promise.all(done);
  expect(hashOf(options.params as never)).toBe(expected);
});
