// Decodes the inlined binary, which assembly/text.mjs encodes.

/** Characters that stand for a value; the two after them begin a pair. */
const SINGLES = 89;
const BITMAP = 64;

/**
 * Decodes bytes from a text that gzip compresses almost as well as the bytes (hexadecimal takes a sixth more, base64 more than
 * half). The most frequent values are one character, the others two; a hexadecimal bitmap at the start tells them apart.
 */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  /** 1 for a frequent value. */
  const bit = (byte: number): number => (parseInt(text[byte >> 2], 16) >> (byte & 3)) & 1;
  const values = Array.from({ length: 256 }, (_, byte) => byte).sort((a, b) => bit(b) - bit(a));
  /** The places of characters in printable ASCII without " $ \ and `, which are special in some kind of string. */
  const places = Int8Array.from({ length: 127 }, (_, code) =>
    [34, 36, 92, 96].reduce((place, special) => (code > special ? place - 1 : place), code - 32),
  );
  const bytes = new Uint8Array(text.length - BITMAP);
  let length = 0;
  for (let i = BITMAP; i < text.length; i++) {
    let place = places[text.charCodeAt(i)];
    if (place >= SINGLES) place = SINGLES * (place - SINGLES + 1) + places[text.charCodeAt(++i)];
    bytes[length++] = values[place];
  }
  return bytes.subarray(0, length);
}
