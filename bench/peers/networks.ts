import type { Model } from "./models.ts";
import { Failure, type Peer } from "./peer.ts";
import { type Absent, type Measured, spread } from "./results.ts";

/** Steps of one turn. */
interface Turn {
  readonly wall: number;
  readonly cpu: number;
}

interface Runner {
  readonly peer: Peer;
  readonly note: string;
  /** Before the first two steps. */
  readonly losses: readonly number[];
  readonly steps: number;
  readonly turns: number;
  readonly taken: Turn[];
  next: number;
}

/** What a turn takes by the clock, if a step is not longer. */
const TURN_SECONDS = 0.4;

/**
 * Trains a network with each contender, in turns. The first two steps, which compile, are not timed. One that needs more than
 * `limit` seconds for all of its turns gets fewer, at least one, of one step.
 */
export async function train(
  peers: readonly Peer[],
  absent: Readonly<Record<string, string>>,
  model: Model,
  rounds: number,
  limit: number,
): Promise<Record<string, Measured | Absent>> {
  const cells: Record<string, Measured | Absent> = {};
  for (const [name, reason] of Object.entries(absent)) cells[name] = { reason };
  const runners: Runner[] = [];
  for (const peer of peers) {
    const runner = await warmUp(peer, model, rounds, limit);
    if (typeof runner === "string") cells[peer.name] = { reason: runner };
    else runners.push(runner);
  }
  for (let round = 0; round < rounds; round++)
    for (const runner of round % 2 === 0 ? runners : runners.toReversed()) {
      const { peer, turns, steps, taken } = runner;
      if (Math.floor(((round + 1) * turns) / rounds) === Math.floor((round * turns) / rounds)) continue;
      const { wall, cpu } = await run(peer, runner.next, steps);
      taken[round] = { wall: wall / steps, cpu: cpu / steps };
      runner.next += steps;
    }
  const [ours] = runners;
  for (const { peer, note, losses, steps, turns, taken } of runners) {
    const each = taken.flatMap((turn, round) => [{ ...turn, ratio: turn.cpu / ours.taken[round].cpu }]);
    cells[peer.name] = {
      wallMilliseconds: spread(each.map(({ wall }) => wall * 1000)),
      cpuMilliseconds: spread(each.map(({ cpu }) => cpu * 1000)),
      timesGradstep: spread(each.map(({ ratio }) => ratio)),
      turns,
      stepsPerTurn: steps,
      lossDifference: Math.max(...losses.map((loss, i) => Math.abs(loss - ours.losses[i]))),
      ...(note === "" ? {} : { note }),
    };
    await peer.ask("close");
  }
  return cells;
}

/** A text says why there is nothing to time. */
async function warmUp(peer: Peer, model: Model, rounds: number, limit: number): Promise<Runner | string> {
  try {
    const opened = await peer.ask(`network ${model}`);
    if (!opened.startsWith("ok")) return opened;
    const first = await run(peer, 0, 1);
    const second = await run(peer, 1, 1);
    let [next, seconds] = [2, second.wall];
    if (seconds < TURN_SECONDS) {
      const more = Math.ceil(TURN_SECONDS / seconds);
      seconds = (await run(peer, next, more)).wall / more;
      next += more;
    }
    const steps = Math.max(1, Math.round(TURN_SECONDS / seconds));
    const turns = Math.max(1, Math.min(rounds, Math.floor(limit / (seconds * steps))));
    return { peer, note: opened.slice(3), losses: [first.loss, second.loss], steps, turns, taken: [], next };
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}

async function run(peer: Peer, from: number, steps: number): Promise<Turn & { loss: number }> {
  const [wall, cpu, loss] = (await peer.ask(`run ${from} ${steps}`)).split(" ").map(Number);
  return { wall, cpu, loss };
}
