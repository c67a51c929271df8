// A server, a coordinator and four workers as processes, for tests that disturb them.
import { join } from "node:path";
import { Actor } from "./actors.js";
import { Server } from "./nats.js";
import { Proxy } from "./proxy.js";

let runs = 0;

/** Starts them, each actor behind a proxy of its own. `delay`: milliseconds that a task takes more. */
export async function startWorld(folder: string, rounds: number, delay: number) {
  const server = await Server.start();
  const run = `run-${++runs}`;
  const proxies = await Promise.all(Array.from({ length: 5 }, () => Proxy.start(server.port)));
  const checkpoint = join(folder, `${run}.safetensors`);
  const coordinator = new Actor(folder, "coordinator", proxies[4].url, run, { rounds, replicas: 4, checkpoint });
  const workers = proxies
    .slice(0, 4)
    .map(({ url }, i) => new Actor(folder, "worker", url, run, { name: `w${i}`, delay }));
  const end = async (): Promise<void> => {
    await Promise.all([coordinator, ...workers].map((actor) => actor.kill()));
    for (const proxy of proxies) proxy.end();
    await server.end();
  };
  return { server, proxies, coordinator, workers, end };
}

export type World = Awaited<ReturnType<typeof startWorld>>;

/** The longest times between new rounds after each disturbance, in milliseconds beyond the median. */
export function stallsOf(coordinator: Actor, times: readonly number[]): number[] {
  const at = coordinator.rounds.map((round) => round.at);
  const gaps = at.slice(1).map((time, i) => time - at[i]);
  const median = [...gaps].sort((a, b) => a - b)[gaps.length >> 1] ?? 0;
  return times.map((time) => {
    const during = gaps.filter((gap, i) => at[i + 1] > time && at[i] < time + 3000);
    return Math.round(Math.max(0, ...during) - median);
  });
}
