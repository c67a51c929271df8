import type { Layout, Rule } from "./contender.ts";
import { Failure, type Peer } from "./peer.ts";
import { type Absent, type StepCase, type Timed, spread } from "./results.ts";

export const layouts: Readonly<Record<string, Layout>> = {
  "1024": { count: 1, length: 1024 },
  "16384": { count: 1, length: 16_384 },
  "262144": { count: 1, length: 262_144 },
  "1048576": { count: 1, length: 1_048_576 },
  "4194304": { count: 1, length: 4_194_304 },
  "16777216": { count: 1, length: 16_777_216 },
  "100x1000": { count: 100, length: 1000 },
  "10000x64": { count: 10_000, length: 64 },
};

const slots: Readonly<Record<Rule, number>> = { adam: 2, adamw: 2, sgd: 0, momentum: 1 };

const SAMPLE = 1.2e-3; // seconds: long against the clock
const TURN = 0.05;
const SLOW = 0.3;
const STEPS_BEFORE_LOOK = 6;

interface Runner {
  readonly peer: Peer;
  readonly calls: number;
  readonly samples: number;
  /** How many turns: a contender that needs seconds for a step has few. */
  readonly turns: number;
  readonly values: readonly number[];
  /** By round. */
  readonly seconds: number[];
}

/** All contenders on one rule and layout, in turns, forwards and backwards. */
export async function stepCase(
  peers: readonly Peer[],
  absent: Readonly<Record<string, string>>,
  rule: Rule,
  layout: Layout,
  rounds: number,
): Promise<StepCase> {
  const cells: Record<string, Timed | Absent> = {};
  for (const [name, reason] of Object.entries(absent)) cells[name] = { reason };
  const runners: Runner[] = [];
  for (const peer of peers) {
    const runner = await prepare(peer, `open ${rule} ${layout.count} ${layout.length}`, rounds);
    if (typeof runner === "string") cells[peer.name] = { reason: runner };
    else runners.push(runner);
  }
  if (runners[0]?.peer !== peers[0]) throw new Error(`${peers[0].name}: ${(cells[peers[0].name] as Absent).reason}`);
  for (let round = 0; round < rounds; round++)
    for (const runner of round % 2 === 0 ? runners : runners.toReversed())
      if (takesPart(runner, round, rounds) && !(runner.peer.name in cells))
        try {
          runner.seconds[round] = await runner.peer.number(`turn ${runner.samples} ${runner.calls}`);
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          cells[runner.peer.name] = { reason: error.message };
        }
  for (const { peer } of runners) await peer.ask("close");

  const elements = layout.count * layout.length;
  const [ours] = runners;
  for (const { peer, calls, turns, values, seconds } of runners) {
    if (peer.name in cells) continue;
    const taken = seconds.flatMap((value, round) => (value > 0 ? [{ value, ratio: value / ours.seconds[round] }] : []));
    cells[peer.name] = {
      nanosecondsPerElement: spread(taken.map(({ value }) => (value / elements) * 1e9)),
      timesGradstep: spread(taken.map(({ ratio }) => ratio)),
      turns,
      callsPerSample: calls,
      ...(peer.name === "traffic" || ours.peer.name !== "gradstep" ? {} : { furthest: furthest(values, ours.values) }),
    };
  }
  return { rule, layout, bytesPerElement: 4 * (3 + 2 * slots[rule]), cells };
}

/** Opens a case, or tells why not. */
async function prepare(peer: Peer, open: string, rounds: number): Promise<Runner | string> {
  try {
    const opened = await peer.ask(open);
    return opened === "ok" ? await warmUp(peer, rounds) : opened;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    await peer.ask("close");
    return error.message;
  }
}

/** Calls of the real size, which settle how many make a sample. */
async function warmUp(peer: Peer, rounds: number): Promise<Runner> {
  const first = async (): Promise<number> => {
    const before = performance.now();
    await peer.ask("step 1");
    return (performance.now() - before) / 1000;
  };
  let taken = 1;
  let seconds = await first();
  if (seconds > SLOW) [seconds, taken] = [await first(), 2]; // the first may have compiled
  if (seconds > SLOW) return { peer, calls: 1, samples: 1, turns: Math.min(rounds, 3), values: [], seconds: [] };
  await peer.ask(`step ${STEPS_BEFORE_LOOK - taken}`);
  const values = (await peer.ask("values")).split(" ").map(Number);
  const calls = (): number => Math.max(1, Math.ceil(SAMPLE / seconds));
  seconds = await peer.number("turn 1 1");
  for (const samples of seconds < 0.01 ? [5, 9] : [3]) seconds = await peer.number(`turn ${samples} ${calls()}`);
  const samples = Math.max(1, Math.min(5, Math.floor(TURN / (calls() * seconds))));
  return { peer, calls: calls(), samples, turns: rounds, values, seconds: [] };
}

/** Spaces the turns of a slow contender evenly. */
const takesPart = ({ turns }: Runner, round: number, rounds: number): boolean =>
  Math.floor(((round + 1) * turns) / rounds) > Math.floor((round * turns) / rounds);

const furthest = (a: readonly number[], b: readonly number[]): number =>
  Number(Math.max(0, ...a.map((value, i) => Math.abs(value - (b[i] ?? value)))).toPrecision(2));
