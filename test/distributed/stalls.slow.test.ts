// How long a run stands still after a worker, the coordinator or the server is killed, one at a time. Only `--mode long` runs
// it: it prints the times, which depend on the machine, and checks that the run goes on.
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildActor } from "./actors.js";
import { findServer, versionOf } from "./nats.js";
import { type World, stallsOf, startWorld } from "./world.js";

const KILLS = 10;
/** Milliseconds: a round takes about 60, and after a kill the run has this long to itself. */
const [DELAY, PAUSE] = [40, 4000];

let folder: string;
beforeAll(async () => {
  folder = await buildActor();
});
afterAll(() => rmSync(folder, { recursive: true }));

const restart = async (actor: World["coordinator"]): Promise<void> => {
  await actor.kill();
  actor.start();
};
const victims: Record<string, (world: World, k: number) => Promise<void>> = {
  worker: ({ workers }, k) => restart(workers[k % workers.length]),
  coordinator: ({ coordinator }) => restart(coordinator),
  server: async ({ server }) => {
    await server.kill();
    await server.up();
  },
};

test.runIf(import.meta.env.MODE === "long").each(Object.keys(victims))(
  `${KILLS} kills of the %s`,
  { timeout: 120_000 },
  async (victim) => {
    const world = await startWorld(folder, 100_000, DELAY);
    const times: number[] = [];
    try {
      while (world.coordinator.rounds.length < 20) await sleep(50);
      for (let k = 0; k < KILLS; k++) {
        times.push(performance.now());
        await victims[victim](world, k);
        await sleep(PAUSE);
      }
      const stalls = stallsOf(world.coordinator, times).sort((a, b) => a - b);
      console.log(`${versionOf(findServer()!)}, ${victim}: stalls of ${stalls.join(", ")} ms beyond a median round`);
      expect(world.coordinator.rounds.at(-1)!.at).toBeGreaterThan(times[KILLS - 1]);
    } finally {
      await world.end();
    }
  },
);
