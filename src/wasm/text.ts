// assembly/text.mjs writes what is read here.

/** Of printable ASCII, what stands for something else in some kind of string is left out; the last two characters begin pairs. */
const ALPHABET = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((c) => !'"$\\`'.includes(c));
const SINGLES = ALPHABET.length - 2;
const BITMAP = 64;

/**
 * Bytes from text that gzip takes for little more than the bytes themselves (hexadecimal costs a sixth more, base64 more
 * than half): the commonest are one character, the others two. Which are which is a bitmap before them, in hexadecimal.
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
