// One round: which replicas have been answered, by whom, and whether answers agree. No network, no clock.

/** Why an update was refused. */
export type Refusal =
  | "damaged" // a wrong checksum or size
  | "foreign" // of another run, other settings or another model
  | "inner" // made by another inner optimizer
  | "late" // of a round that is over, or not begun
  | "doubled" // of a task that has been answered
  | "not finite" // would make the model infinite or NaN
  | "liar"; // of a worker that lied

interface Answer {
  readonly worker: string;
  readonly body: Uint8Array;
  readonly loss: number;
}

/** The state of one replica's task. */
interface Entry {
  readonly answers: Answer[];
  accepted: Answer | undefined;
  /** How many equal answers of different workers are asked for. */
  needed: number;
  /** When the task was first issued, last issued, and first answered; undefined before. */
  issued: number | undefined;
  lastIssued: number;
  answered: number | undefined;
  /** How often the task was issued. */
  times: number;
  /** The workers that say that their training diverged, as often as they say it. */
  readonly diverged: string[];
  /** Workers whose refused updates had the task issued again at once. */
  readonly refused: Set<string>;
}

/** The answers of one round. */
export class Round {
  readonly entries: readonly Entry[];

  constructor(
    readonly number: number,
    replicas: number,
    isChecked: () => boolean,
  ) {
    this.entries = Array.from({ length: replicas }, () => ({
      answers: [],
      accepted: undefined,
      needed: isChecked() ? 2 : 1,
      issued: undefined,
      lastIssued: 0,
      answered: undefined,
      times: 0,
      diverged: [],
      refused: new Set<string>(),
    }));
  }

  /** Whether all replicas have an accepted answer. */
  get complete(): boolean {
    return this.entries.every(({ accepted }) => accepted !== undefined);
  }

  /** The accepted answers in order of replica. */
  get accepted(): readonly Answer[] {
    return this.entries.map(({ accepted }) => accepted!);
  }

  /** The replicas without an accepted answer. */
  get open(): number[] {
    return this.entries.flatMap(({ accepted }, replica) => (accepted === undefined ? [replica] : []));
  }

  /**
   * Takes an answer that has passed all checks. Answers of honest workers are equal, so two that differ show that somebody
   * lied: then two equal ones are needed. Returns why the answer is not counted, and the workers that lied.
   */
  offer(replica: number, answer: Answer, now: number): { refusal: Refusal | undefined; liars: string[] } {
    const entry = this.entries[replica];
    if (entry.answers.some(({ worker }) => worker === answer.worker)) return { refusal: "doubled", liars: [] };
    const wasAccepted = entry.accepted !== undefined;
    entry.answers.push(answer);
    entry.answered ??= now;
    const groups = grouped(entry.answers);
    if (groups.length > 1) entry.needed = 2;
    const winners = groups.find((group) => group.length >= entry.needed);
    entry.accepted = winners?.[0];
    if (winners === undefined) {
      if (groups.length > 1) this.hurry(replica, answer.worker);
      return { refusal: undefined, liars: [] };
    }
    const liars = entry.answers.filter((each) => !winners.includes(each)).map(({ worker }) => worker);
    if (liars.includes(answer.worker)) return { refusal: "liar", liars };
    return { refusal: wasAccepted ? "doubled" : undefined, liars };
  }

  /** Has an open task issued again at once, since this worker's answer does not settle it: once for each worker. */
  hurry(replica: number, worker: string): void {
    const entry = this.entries[replica];
    if (entry.accepted !== undefined || entry.refused.has(worker)) return;
    entry.refused.add(worker);
    entry.lastIssued = -Infinity;
  }

  /** Accepts a single answer that was to be checked. */
  acceptAlone(replica: number): void {
    const entry = this.entries[replica];
    if (entry.answers.length !== 1) return;
    entry.needed = 1;
    entry.accepted = entry.answers[0];
  }

  /** Forgets the answers of a worker. */
  forget(isForgotten: (worker: string) => boolean): void {
    for (const entry of this.entries) {
      if (!entry.answers.some(({ worker }) => isForgotten(worker))) continue;
      const kept = entry.answers.filter(({ worker }) => !isForgotten(worker));
      entry.answers.splice(0, Infinity, ...kept);
      entry.accepted = grouped(kept).find((group) => group.length >= entry.needed)?.[0];
    }
  }
}

/** Answers with equal bodies together. */
function grouped(answers: readonly Answer[]): Answer[][] {
  const groups: Answer[][] = [];
  for (const answer of answers) {
    const group = groups.find(([first]) => sameBytes(first.body, answer.body));
    if (group === undefined) groups.push([answer]);
    else group.push(answer);
  }
  return groups;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
