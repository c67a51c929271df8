// The part of an AbortSignal that is used, for programs whose types have none.
import { wrongType } from "./check.js";

/** An `AbortSignal`. */
export interface Signal {
  /** Whether it has been aborted. */
  readonly aborted: boolean;
  /** Why. */
  readonly reason: unknown;
  /** Throws the reason once it has been aborted. */
  throwIfAborted(): void;
  /** Calls the listener when it is aborted. */
  addEventListener(type: "abort", listener: () => void): void;
  /** Undoes `addEventListener`. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Reads the option `signal`; throws its reason if it has been aborted. */
export function readSignal(owner: string, signal: unknown): Signal | undefined {
  if (signal === undefined) return undefined;
  const given = signal as Signal | null;
  if (typeof given?.throwIfAborted !== "function") throw wrongType(owner, "signal", "an AbortSignal", signal);
  given.throwIfAborted();
  return given;
}
