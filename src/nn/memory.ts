// Plans the memory of a network: buffers that are never in use at the same time share addresses.
import { padded } from "../memory/arena.js";

/**
 * A buffer and the span of time in which it is in use. Times count the operations of a training step: forward, loss, backward.
 */
export class Span {
  readonly bytes: number;
  readonly from: number;
  /** The last time at which something reads the buffer. */
  to: number;
  /** How many residual connections, not yet closed, will read the buffer. */
  holds = 0;
  /** Where the buffer is: an offset in the block once it is planned, an address once the block is allocated. */
  at = 0;

  constructor(elements: number, from: number) {
    this.bytes = padded(elements);
    this.from = from;
    this.to = from;
  }

  /** The buffer is read at this time. */
  read(time: number): this {
    this.to = Math.max(this.to, time);
    return this;
  }

  /** Whether the buffer may be overwritten at this time, at which it is read. */
  endsAt(time: number): boolean {
    return this.holds === 0 && this.to <= time;
  }
}

/** Gives each buffer an offset, the largest first, at the lowest place that is free in all its time; returns the block's bytes. */
export function planMemory(spans: readonly Span[]): number {
  const placed: Span[] = [];
  let bytes = 0;
  for (const span of [...spans].sort((a, b) => b.bytes - a.bytes)) {
    span.at = 0;
    for (const other of placed)
      // in order of address
      if (other.from <= span.to && span.from <= other.to && other.at < span.at + span.bytes)
        span.at = Math.max(span.at, other.at + other.bytes);
    placed.push(span);
    placed.sort((a, b) => a.at - b.at);
    bytes = Math.max(bytes, span.at + span.bytes);
  }
  return bytes;
}
