// The metadata that only gradstep writes: a checksum, and all state as JSON.
import { record } from "../util/check.js";
import { crc32 } from "./crc32.js";
import { parseJson, quote } from "./json.js";
import { type Contents, damageOf, encode } from "./safetensors.js";
import type { Json } from "./plain-values.js";
import { RESERVED } from "./torch-write.js";

const VERSION = 1;
export const GROUPS = "param_groups";
const [OWN, CHECKSUM, FORMAT] = ["gradstep", `${RESERVED}crc32`, "format"];
/** What precedes the checksum's digits in the file, after the header's length. The checksum counts the digits as zeros. */
const CHECKSUM_OPENING = `{"__metadata__":{"${CHECKSUM}":"`;
const CHECKSUM_AT = 8 + CHECKSUM_OPENING.length;
const NO_CHECKSUM = "00000000";

export interface Own {
  readonly params: readonly string[];
  readonly optimizers: readonly Json[];
  readonly extra: Json;
  /** Number of training forwards, if a network was saved. */
  readonly steps?: number | undefined;
}

/** Whether a metadata name is gradstep's or PyTorch's, and not free for users. */
export const isReserved = (name: string): boolean =>
  name === FORMAT || name === GROUPS || name === OWN || name.startsWith(RESERVED);

/** gradstep's metadata, with zeros for the checksum. */
export const ownMetadata = (own: Own): Map<string, string> =>
  new Map([
    [CHECKSUM, NO_CHECKSUM],
    [FORMAT, "pt"],
    [OWN, JSON.stringify({ version: VERSION, ...own })],
  ]);

export function writeChecksum(file: Uint8Array): void {
  file.set(encode(checksumOf(file)), CHECKSUM_AT);
}

function checksumOf(file: Uint8Array): string {
  const before = crc32(file.subarray(0, CHECKSUM_AT));
  const zeros = crc32(
    Uint8Array.from(NO_CHECKSUM, (digit) => digit.charCodeAt(0)),
    before,
  );
  return crc32(file.subarray(CHECKSUM_AT + NO_CHECKSUM.length), zeros)
    .toString(16)
    .padStart(8, "0");
}

/**
 * Reads gradstep's metadata; undefined for another program's file.
 * @throws RangeError when the checksum does not match or gradstep cannot have written the file.
 */
export function readOwn(file: Uint8Array, { metadata }: Contents, owner = "load"): Own | undefined {
  const damaged = damageOf(owner);
  const [text, checksum] = [metadata.get(OWN), metadata.get(CHECKSUM)];
  if (text === undefined && checksum === undefined) return undefined;
  const opening = String.fromCharCode(...file.subarray(8, CHECKSUM_AT));
  if (text === undefined || opening !== CHECKSUM_OPENING || checksum !== checksumOf(file))
    throw damaged("is not as gradstep wrote it: its checksum does not match");
  const json = parseJson(text, (fault) => damaged(`has metadata "${OWN}" that ${fault}`));
  const { version, params, optimizers, extra, steps } = record(owner, OWN, json);
  if (version !== VERSION)
    throw damaged(
      `is of version ${quote(version === undefined ? "none" : JSON.stringify(version))}, which this version of gradstep does not know`,
    );
  if (!Array.isArray(params) || !params.every((name) => typeof name === "string") || !Array.isArray(optimizers))
    throw damaged(`has metadata "${OWN}" that lacks its lists`);
  if (steps !== undefined && !(Number.isSafeInteger(steps) && (steps as number) >= 0))
    throw damaged(`has metadata "${OWN}" with steps that are no count`);
  return {
    params,
    optimizers: optimizers as Json[],
    extra: record(owner, `${OWN}.extra`, extra) as Json,
    steps: steps as number | undefined,
  };
}
