// Strips the numbers that TensorFlow.js appends to names that are already in use: a model loaded beside its original has
// `dense/kernel_1` for `dense/kernel`, and `w_1_1` for `w_1`. A variable without a name is called by a number.

/** The name without the last number that TensorFlow.js may have appended. */
export const unnumbered = (name: string): string => name.replace(/_\d+$/, "");

/** The name without any numbers at its end. One pass, since names may come from untrusted files. */
export function rootOf(name: string): string {
  let end = name.length;
  let i = end - 1;
  for (; i >= 0; i--) {
    if (name[i] === "_" && i < end - 1) end = i;
    else if (name[i] < "0" || name[i] > "9") break;
  }
  return i < 0 ? "" : name.slice(0, end);
}

/** The first few names, for a message. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name));
  return shown.join(", ") + (names.length > 5 ? `, … (${names.length} in all)` : "");
}
