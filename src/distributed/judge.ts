// Judges the updates that arrive: refuses what is damaged, foreign, late, doubled, not finite, or of a liar, and counts it.
import { CHUNK, type Fingerprint, HEADER, type Header, NONE, UPDATE, fingerprint, sameFingerprint } from "./message.js";
import { type Refusal, Round } from "./round.js";
import { type InnerOptimizer, demandMissed } from "./run.js";
import type { Workspace } from "./workspace.js";

/** An update, and where its subject says that it belongs. */
export interface Incoming {
  readonly round: number;
  readonly replica: number;
  readonly worker: string;
  readonly data: Uint8Array;
  /** Whether it may have arrived before. */
  readonly isRepeated: boolean;
}

interface Events {
  now(): number;
  /** A replica has an accepted answer. */
  accepted(replica: number): void;
  /** The inner optimizer is settled. */
  settled(): void;
}

/** The most bytes of an inner optimizer's text. */
const MOST_TEXT = 65536;
const MOST_WORKERS = 100_000;
const MOST_LATE = 100;

export type Judge = ReturnType<typeof makeJudge>;

export function makeJudge(workspace: Workspace, run: Fingerprint, demanded: InnerOptimizer | null, events: Events) {
  let inner: string | null = null;
  let innerPrint: Fingerprint | undefined;
  let counts: Record<string, number> = {};
  const liars = new Set<string>();
  /** When a worker was last heard of. */
  const seen = new Map<string, number>();
  /** Rounds that updates have come too late for, or too early. */
  const late = new Set<number>();
  /** Parts of updates of several messages, by replica and worker. */
  const parts = new Map<string, (Uint8Array | undefined)[]>();
  let partsOf: Round | undefined;

  function settle(text: string | null): void {
    inner = text;
    innerPrint = text === null ? undefined : fingerprint(text);
  }

  /** The whole body, once all its messages are there. */
  function assemble(round: Round, { replica, worker }: Incoming, header: Header, part: Uint8Array) {
    if (header.chunks === 1) return part.slice();
    if (partsOf !== round) parts.clear();
    partsOf = round;
    const key = `${replica} ${worker}`;
    let list = parts.get(key);
    if (list === undefined) {
      // A worker may be interrupted; many unfinished updates are an attack on the memory.
      if (parts.size >= 2 * round.entries.length + 8) parts.delete(parts.keys().next().value!);
      parts.set(key, (list = new Array<Uint8Array | undefined>(header.chunks).fill(undefined)));
    }
    list[header.chunk] = part.slice();
    if (list.some((each) => each === undefined)) return undefined;
    parts.delete(key);
    const body = new Uint8Array(header.bytes);
    list.forEach((each, chunk) => body.set(each!, chunk * CHUNK));
    return body;
  }

  function isWhole({ kind, chunk, chunks, bytes, text }: Header, length: number): boolean {
    if (kind !== UPDATE || text > MOST_TEXT || bytes !== workspace.updateBytes + text) return false;
    if (chunks !== Math.max(1, Math.ceil(bytes / CHUNK)) || chunk >= chunks) return false;
    return length === HEADER + Math.min(CHUNK, bytes - chunk * CHUNK);
  }

  /** Why the update is refused, or undefined. */
  function judge(round: Round, model: number, update: Incoming): Refusal | undefined {
    const { replica, worker, data } = update;
    const received = workspace.unpack(data);
    if (received === undefined) return "damaged";
    const { header, body: part } = received;
    if (header.round !== update.round || header.replica !== replica) return "damaged";
    if (!sameFingerprint(header.run, run)) return "foreign";
    if (seen.size < MOST_WORKERS || seen.has(worker)) seen.set(worker, events.now());
    if (header.round !== round.number) {
      if (late.size < MOST_LATE) late.add(header.round);
      return "late";
    }
    if (header.model !== model || replica >= round.entries.length) return "foreign";
    const entry = round.entries[replica];
    if (liars.has(worker)) {
      round.hurry(replica, worker);
      return "liar";
    }
    if (header.kind === UPDATE && header.bytes === 0) {
      entry.diverged.push(worker);
      if (entry.diverged.length < 4) entry.lastIssued = -Infinity; // to be tried again
      return "not finite";
    }
    if (!isWhole(header, data.length)) return "damaged";
    const whole = assemble(round, update, header, part);
    if (whole === undefined) return undefined;
    const body = whole.subarray(0, workspace.updateBytes);
    let text = "";
    if (innerPrint === undefined) {
      text = new TextDecoder().decode(whole.subarray(workspace.updateBytes));
      if (!isInner(text) || !sameFingerprint(fingerprint(text), header.inner)) return "inner";
      if (demanded !== null && demandMissed(demanded, text, {}) !== undefined) return "inner";
    } else if (!sameFingerprint(innerPrint, header.inner)) {
      round.hurry(replica, worker);
      return "inner";
    }
    if (!workspace.isFinite(body, round.entries.length)) return "not finite";
    if (innerPrint === undefined) {
      settle(text);
      events.settled();
    }
    const before = entry.accepted;
    const { refusal, liars: found } = round.offer(replica, { worker, body, loss: header.value }, events.now());
    for (const liar of found) liars.add(liar);
    if (found.length > 0) round.forget((name) => liars.has(name));
    if (before === undefined && entry.accepted !== undefined) events.accepted(replica);
    return refusal;
  }

  return {
    run,
    get inner(): string | null {
      return inner;
    },
    /** Of the inner optimizer; NONE while it is open. */
    get print(): Fingerprint {
      return innerPrint ?? NONE;
    },
    get liars(): string[] {
      return [...liars];
    },
    restore(text: string | null, names: readonly string[]): void {
      settle(text);
      for (const name of names) liars.add(name);
    },
    receive(round: Round, model: number, update: Incoming): void {
      const refusal = judge(round, model, update);
      if (refusal === undefined || (refusal === "doubled" && update.isRepeated)) return;
      counts[refusal] = (counts[refusal] ?? 0) + 1;
    },
    /** How many updates were refused since the last call. */
    takeCounts(): { refused: number; reasons: Record<string, number>; liars: string[] } {
      const reasons = counts;
      counts = {};
      return { refused: Object.values(reasons).reduce((sum, n) => sum + n, 0), reasons, liars: [...liars] };
    },
    /** Rounds of updates that were late since the last call. */
    takeLate(): number[] {
      const rounds = [...late];
      late.clear();
      return rounds;
    },
    /** How many workers have been heard of since then. */
    activeSince(time: number): number {
      for (const [worker, at] of seen) if (at < time) seen.delete(worker);
      return [...seen.keys()].filter((worker) => !liars.has(worker)).length;
    },
  };
}

/** Whether a text is what textOfOptimizer makes. */
function isInner(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && typeof parsed[0] === "string" && parsed.length > 3;
  } catch {
    return false;
  }
}
