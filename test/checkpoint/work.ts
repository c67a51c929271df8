// What a call reads and copies, counted and not timed.
const text = String.prototype;
const bytes = Uint8Array.prototype;

/** Characters looked at one by one and bytes copied while `call` runs, however it ends. */
export function workOf(call: () => unknown): number {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back below
  const [charCodeAt, slice] = [text.charCodeAt, bytes.slice];
  let work = 0;
  text.charCodeAt = function (i) {
    work++;
    return charCodeAt.call(this, i);
  };
  bytes.slice = function (...range) {
    const copy = slice.apply(this, range);
    work += copy.length;
    return copy;
  };
  try {
    call();
  } finally {
    Object.assign(text, { charCodeAt });
    Object.assign(bytes, { slice });
  }
  return work;
}
