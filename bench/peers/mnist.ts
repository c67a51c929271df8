import { BATCH } from "./contender.ts";
import { BATCHES } from "./images.ts";
import { Failure, type Peer } from "./peer.ts";
import { type Absent, type Trained, spread } from "./results.ts";

interface Runner {
  readonly peer: Peer;
  /** Batches a turn, and how many turns. */
  readonly share: number;
  readonly turns: number;
  readonly rates: number[];
  done: number;
}

const ROUNDS = 15;
const PROBE = 3;

/**
 * One epoch of each contender, in turns of a fifteenth. One that would need more than `limit` seconds stops after as many
 * turns as fit, of at least one, and its accuracy is that of the samples it has seen.
 */
export async function mnist(
  peers: readonly Peer[],
  absent: Readonly<Record<string, string>>,
  limit: number,
): Promise<Record<string, Trained | Absent>> {
  const cells: Record<string, Trained | Absent> = {};
  for (const [name, reason] of Object.entries(absent)) cells[name] = { reason };
  const runners: Runner[] = [];
  for (const peer of peers) {
    const opened = await open(peer);
    if (opened !== "ok") {
      cells[peer.name] = { reason: opened };
      continue;
    }
    await peer.ask(`train 0 ${PROBE}`); // compiles, and is then forgotten
    const epoch = ((await peer.number(`train ${PROBE} ${PROBE}`)) / PROBE) * BATCHES;
    if (epoch < limit) await peer.ask(`train 0 40`);
    await peer.ask("close");
    await peer.ask("net");
    const turns = Math.max(3, Math.min(ROUNDS, Math.floor((ROUNDS * limit) / epoch)));
    const share = Math.ceil(BATCHES / ROUNDS);
    const fits = Math.max(1, Math.min(share, Math.floor(((limit / epoch) * BATCHES) / turns)));
    runners.push({ peer, share: fits, turns, rates: [], done: 0 });
  }
  for (let round = 0; round < ROUNDS; round++)
    for (const runner of round % 2 === 0 ? runners : runners.toReversed()) {
      if (Math.floor(((round + 1) * runner.turns) / ROUNDS) === Math.floor((round * runner.turns) / ROUNDS)) continue;
      const batches = Math.min(runner.share, BATCHES - runner.done);
      const seconds = await runner.peer.number(`train ${runner.done} ${batches}`);
      runner.done += batches;
      runner.rates[round] = (batches * BATCH) / seconds;
    }
  const [ours] = runners;
  for (const { peer, rates, done } of runners) {
    const taken = rates.flatMap((rate, round) => (rate > 0 ? [{ rate, ratio: ours.rates[round] / rate }] : []));
    cells[peer.name] = {
      samplesPerSecond: spread(taken.map(({ rate }) => rate)),
      timesGradstep: spread(taken.map(({ ratio }) => ratio)),
      accuracy: await peer.number("test"),
      samples: done * BATCH,
    };
    await peer.ask("close");
  }
  return cells;
}

/** "ok", or why there is no network. */
const open = (peer: Peer): Promise<string> =>
  peer.ask("net").catch((error: unknown) => {
    if (error instanceof Failure) return error.message;
    throw error;
  });
