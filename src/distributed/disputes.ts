// What becomes of a task whose answers do not settle it.
import { Fatal } from "./fatal.js";
import type { Judge } from "./judge.js";
import type { Round } from "./round.js";

/** Milliseconds that a third worker is waited for. */
const NO_THIRD = 60_000;
/** Milliseconds, or limits, for which a worker that was heard of counts as active. */
const [ACTIVE, ACTIVE_LIMITS] = [10_000, 20];

/**
 * Accepts an answer that nobody else is there to check. Throws where training diverges, or where two answers differ and no
 * third worker decides. `limit`: milliseconds after which a task is issued again.
 */
export function resolve(round: Round, replica: number, judge: Judge, limit: number, now: number): void {
  const { answers, answered, diverged } = round.entries[replica];
  const at = `coordinate: round ${round.number}, replica ${replica}`;
  const isAlone = (): boolean => judge.activeSince(now - Math.max(ACTIVE, ACTIVE_LIMITS * limit)) < 2;
  if (new Set(diverged).size > 1 || (diverged.length > 2 && isAlone()))
    throw new Fatal(`${at}: training diverged, parameters became infinite or NaN: lower the learning rate`);
  if (answered === undefined || now - answered < 2 * limit) return;
  if (answers.length === 1 && isAlone()) round.acceptAlone(replica);
  if (answers.length < 2 || now - answered <= NO_THIRD + 2 * limit) return;
  const names = answers.map(({ worker }) => `"${worker}"`).join(" and ");
  throw new Fatal(`${at}: workers ${names} give other bits, and no third worker decides`);
}
