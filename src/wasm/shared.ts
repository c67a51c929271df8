// Turns a binary into one for a shared memory: the code is the same, only the import of the memory says so.

/** The import section: its size, one import, "env", "memory", a memory, its limits (1 page or more). */
const OWN = bytesOf("\x02\x0f\x01\x03env\x06memory\x02\x00\x01");
/** The same of a shared memory of 1 to 65536 pages. */
const SHARED = bytesOf("\x02\x12\x01\x03env\x06memory\x02\x03\x01\x80\x80\x04");

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** A copy of the binary for a shared memory. */
export function shared(binary: Uint8Array): Uint8Array<ArrayBuffer> {
  const start = binary.findIndex((_, i) => OWN.every((byte, k) => binary[i + k] === byte));
  const result = new Uint8Array(binary.length + SHARED.length - OWN.length);
  result.set(binary.subarray(0, start));
  result.set(SHARED, start);
  result.set(binary.subarray(start + OWN.length), start + SHARED.length);
  return result;
}
