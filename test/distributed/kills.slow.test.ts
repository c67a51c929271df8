// Runs of processes that are killed, stopped and cut off by seeded schedules: the same bits as an undisturbed run, and soon.
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "../../src/index.js";
import { buildActor } from "./actors.js";
import { findServer, versionOf } from "./nats.js";
import { type World, stallsOf, startWorld } from "./world.js";

const isLong = import.meta.env.MODE === "long";
const SCHEDULES = Number(process.env.GRADSTEP_SCHEDULES ?? (isLong ? 100 : 5));
const KILLS = 4;
const start = (): Promise<World> => startWorld(folder, 80, 15);

let folder: string;
let expected: string;
beforeAll(async () => {
  folder = await buildActor();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Disturbs one of them, and says how. */
async function disturb({ server, proxies, coordinator, workers }: World, random: Random): Promise<string> {
  const who = random.below(3);
  const i = random.below(workers.length);
  const kind = random.below(4); // of four, two are kills, one stops, one cuts off, or wipes the server
  const pause = 200 + random.below(2000);
  const actor = who === 0 ? coordinator : workers[i];
  const name = who === 0 ? "coordinator" : who === 1 ? `worker ${i}` : "server";
  if (kind === 2) {
    (who === 2 ? server : actor).signal("SIGSTOP");
    await sleep(pause);
    (who === 2 ? server : actor).signal("SIGCONT");
    return `${name} stopped for ${pause} ms`;
  }
  if (who === 2) {
    await server.kill(kind === 3);
    await sleep(pause / 10);
    await server.up();
    return kind === 3 ? "server killed and wiped" : "server killed";
  }
  if (kind === 3) {
    proxies[who === 0 ? 4 : i].cut();
    return `${name} cut off`;
  }
  await actor.kill();
  actor.start();
  return `${name} killed`;
}

test("an undisturbed run", async () => {
  const world = await start();
  try {
    expect(await world.coordinator.ended(), world.coordinator.errors).toBe(0);
    expected = world.coordinator.hash!;
    expect(expected).toMatch(/^[0-9a-f]{64}$/);
    await Promise.all(world.workers.map(async (worker) => expect(await worker.ended(), worker.errors).toBe(0)));
  } finally {
    await world.end();
  }
});

test.each(Array.from({ length: SCHEDULES }, (_, i) => i + Number(process.env.GRADSTEP_SEED ?? 1)))(
  `schedule %i of ${KILLS} kills`,
  { timeout: 90_000 },
  async (seed) => {
    const random = new Random(seed);
    const world = await start();
    const begun = performance.now();
    const story: string[] = [];
    const times: number[] = [];
    try {
      while (world.coordinator.rounds.length < 3) await sleep(50);
      for (let k = 0; k < KILLS; k++) {
        times.push(performance.now());
        story.push(`${((performance.now() - begun) / 1000).toFixed(1)} s: ${await disturb(world, random)}`);
        await sleep(random.below(600));
      }
      const code = await Promise.race([world.coordinator.ended(), sleep(60_000).then(() => "60 s")]);
      const { coordinator, workers } = world;
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      const text = `${story.join(", ")}; ${seconds} s, stalls ${stallsOf(coordinator, times).join(", ")} ms`;
      if (isLong) console.log(`${versionOf(findServer()!)}, schedule ${seed}: ${text}`);
      expect(code, `${text}\nround ${coordinator.rounds.at(-1)?.progress.round}\n${coordinator.errors}`).toBe(0);
      expect(coordinator.hash, text).toBe(expected);
      for (const worker of workers) expect(worker.errors, text).toBe("");
    } finally {
      await world.end();
    }
  },
);
