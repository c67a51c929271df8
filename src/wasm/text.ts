// Decodes the inlined binary, which assembly/text.mjs encodes.

/** Printable ASCII without the characters that are special in some kind of string. The last two begin a pair. */
const ALPHABET = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((c) => !'"$\\`'.includes(c));
const SINGLES = ALPHABET.length - 2;
const BITMAP = 64;

/**
 * Decodes bytes from a text that gzip compresses almost as well as the bytes (hexadecimal takes a sixth more, base64 more than
 * half). The most frequent values are one character, the others two; a hexadecimal bitmap at the start tells them apart.
 */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  const [common, rare]: [number[], number[]] = [[], []];
  for (let byte = 0; byte < 256; byte++) (isCommon(text, byte) ? common : rare).push(byte);
  const values = common.concat(rare);
  const places = new Uint8Array(128);
  ALPHABET.forEach((character, place) => (places[character.charCodeAt(0)] = place));

  const bytes = new Uint8Array(text.length - BITMAP);
  let length = 0;
  for (let i = BITMAP; i < text.length; i++) {
    let place = places[text.charCodeAt(i)];
    if (place >= SINGLES) place = SINGLES * (place - SINGLES + 1) + places[text.charCodeAt(++i)];
    bytes[length++] = values[place];
  }
  return bytes.subarray(0, length);
}

const isCommon = (text: string, byte: number): boolean => ((parseInt(text[byte >> 2], 16) >> (byte & 3)) & 1) === 1;
