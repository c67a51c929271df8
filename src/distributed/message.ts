// The binary form of what workers and coordinator send: 64 bytes that say what it is, then a part of a model or an update.

/** The most bytes of a body in one message: a NATS server accepts 1 MiB by default. */
export const CHUNK = 512 * 1024;
export const HEADER = 64;

export const MODEL = 0x314d5347; // "GSM1"
export const UPDATE = 0x31555347; // "GSU1"

/** What a message's first 64 bytes say. */
export interface Header {
  /** {@link MODEL} or {@link UPDATE}. */
  readonly kind: number;
  /** Of the run's settings. */
  readonly run: Fingerprint;
  /** Of the inner optimizer; 0 in a model while it is open. */
  readonly inner: Fingerprint;
  readonly round: number;
  /** Of an update. */
  readonly replica: number;
  /** The checksum of the model's body; in an update, of the model that it starts from. */
  readonly model: number;
  readonly chunk: number;
  readonly chunks: number;
  /** Bytes of the whole body. */
  readonly bytes: number;
  /** Bytes at the end of an update's body that tell the inner optimizer as text. */
  readonly text: number;
  /** Of an update: the mean loss. Of a model: the coordinator's term. */
  readonly value: number;
}

/** 64 bits as two whole numbers in [0, 2³²). */
export type Fingerprint = readonly [number, number];
export const NONE: Fingerprint = [0, 0];
export const sameFingerprint = (a: Fingerprint, b: Fingerprint): boolean => a[0] === b[0] && a[1] === b[1];

/** Of a text. */
export function fingerprint(text: string): Fingerprint {
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return [a >>> 0, (b ^ Math.imul(a, 0xc2b2ae35)) >>> 0];
}

/** Writes a header into the first 64 bytes; its first word is left for the checksum. */
export function writeHeader(view: DataView, header: Header): void {
  const words = [header.kind, ...header.run, ...header.inner, header.round, header.replica, header.model];
  [0, ...words, header.chunk, header.chunks, header.bytes, header.text].forEach((word, i) =>
    view.setUint32(4 * i, word, true),
  );
  view.setUint32(52, 0, true);
  view.setFloat64(56, header.value, true);
}

export function readHeader(view: DataView): Header {
  const word = (i: number): number => view.getUint32(4 * i, true);
  return {
    kind: word(1),
    run: [word(2), word(3)],
    inner: [word(4), word(5)],
    round: word(6),
    replica: word(7),
    model: word(8),
    chunk: word(9),
    chunks: word(10),
    bytes: word(11),
    text: word(12),
    value: view.getFloat64(56, true),
  };
}
