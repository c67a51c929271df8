// Updates of hostile workers, which must not change a bit: damaged, foreign, late, doubled, not finite, oversized, and lies.
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Random } from "../../src/index.js";
import { type Progress, coordinate, join } from "../../src/distributed/index.js";
import { Server } from "./nats.js";
import { hashOf } from "./hash.js";
import { coordinatorOptions, workerOptions } from "./training.js";

const COUNT = import.meta.env.MODE === "long" ? 10_000 : 2000;
const KINDS = ["flipped", "foreign", "late", "doubled", "NaN", "oversized", "short", "noise", "replica"] as const;

let server: Server;
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
afterAll(() => server.end());

/** A run with honest workers; `meanwhile` gets each round. */
async function conduct(
  run: string,
  workers: number,
  more: object = {},
  meanwhile: (progress: Progress) => unknown = () => undefined,
) {
  const ncs = await Promise.all(Array.from({ length: workers + 1 }, connect));
  const done = ncs.slice(1).map((nc, i) => join(nc, workerOptions(run, { name: `honest${i}` }, 10).options));
  const options = coordinatorOptions(run, { rounds: 25, ...more });
  const seen: Progress[] = [];
  for await (const progress of coordinate(ncs[0], options)) {
    seen.push(progress);
    await meanwhile(progress);
  }
  await Promise.all(done);
  return { seen, hash: hashOf(options.params as never) };
}

let expected: string;
test("without hostile workers nothing is refused", async () => {
  const { seen, hash } = await conduct("peace", 2);
  expect(seen.reduce((sum, { refused }) => sum + refused, 0)).toBe(0);
  expected = hash;
});

test(`${COUNT} hostile updates are refused and counted, and the bits are the same`, async () => {
  const random = new Random(11);
  const nc = await connect();
  const run = "war";
  /** Updates of honest workers, as they are seen on the wire. */
  const real: { subject: string; data: Uint8Array }[] = [];
  nc.subscribe(`gs.${run}.up.>`, {
    callback: (_, { subject, data }) => {
      if (subject.includes("honest") && real.length < 200) real.push({ subject, data: new Uint8Array(data) });
    },
  });
  let sent = 0;
  /** Publishes a hostile update, like the last honest one. */
  const attack = (kind: (typeof KINDS)[number]): void => {
    const last = real.at(-1)!;
    const parts = last.subject.split(".");
    parts[5] = `evil${random.below(3)}`;
    let data = last.data.slice();
    if (kind === "flipped") data[random.below(data.length)] ^= 1 << random.below(8);
    if (kind === "foreign") new DataView(data.buffer).setUint32(8, random.below(2 ** 32), true);
    if (kind === "late") parts[3] = String(1 + random.below(Math.max(1, Number(parts[3]) - 1)));
    if (kind === "doubled") parts[5] = last.subject.split(".")[5];
    if (kind === "NaN") new DataView(data.buffer).setFloat32(64, NaN, true);
    if (kind === "oversized") data = new Uint8Array(600_000 + random.below(400_000)).fill(7);
    if (kind === "short") data = data.subarray(0, random.below(data.length));
    if (kind === "noise") data = Uint8Array.from({ length: data.length }, () => random.below(256));
    if (kind === "replica") parts[4] = String(random.below(70_000));
    nc.publish(parts.join("."), data);
    sent++;
  };
  const rounds = 25;
  const { seen, hash } = await conduct(run, 2, { rounds }, async () => {
    if (real.length === 0 || sent >= COUNT) return;
    for (let i = 0; i < Math.ceil(COUNT / (rounds - 5)) && sent < COUNT; i++) attack(KINDS[sent % KINDS.length]);
    await nc.flush();
  });
  expect(hash).toBe(expected);
  expect(sent).toBe(COUNT);
  const reasons: Record<string, number> = {};
  for (const progress of seen)
    for (const [reason, n] of Object.entries(progress.reasons)) reasons[reason] = (reasons[reason] ?? 0) + n;
  const refused = seen.reduce((sum, progress) => sum + progress.refused, 0);
  expect(refused, JSON.stringify(reasons)).toBeGreaterThanOrEqual(COUNT);
  expect(seen.at(-1)?.liars).toEqual([]);
});

test("a worker that lies is named and its updates are refused; the bits are the same", async () => {
  const run = "lies";
  const nc = await connect();
  const { mlp, options } = workerOptions(run, { name: "liar" });
  const honest = options.step;
  const lying = join(nc, {
    ...options,
    step(step) {
      const loss = honest(step);
      mlp.params.data["0.bias"][step.step] += 0.5;
      return loss;
    },
  });
  const { seen, hash } = await conduct(run, 3, { verify: 1 });
  await lying.catch(() => undefined);
  expect(hash).toBe(expected);
  expect(seen.at(-1)?.liars).toEqual(["liar"]);
});

test("a run with verify and one worker goes on", { timeout: 60_000 }, async () => {
  const { hash } = await conduct("alone", 1, { verify: 0.2, rounds: 6 });
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
});

test("training that diverges ends with an error", async () => {
  const run = "diverging";
  const [a, b] = [await connect(), await connect()];
  const { mlp, options } = workerOptions(run);
  const end = new AbortController();
  const step = (): number => {
    mlp.params.data["0.bias"][0] = NaN;
    return NaN;
  };
  const worker = join(b, { ...options, step, signal: end.signal });
  worker.catch(() => undefined);
  await expect(
    (async () => {
      for await (const { round } of coordinate(a, coordinatorOptions(run))) expect(round).toBe(0);
    })(),
  ).rejects.toThrow(/coordinate: round 1, replica \d: training diverged/);
  end.abort(new Error("enough"));
  await expect(worker).rejects.toThrow("enough");
});
