// Finds the name that was probably meant by a wrong one: of an option, of a value, or of a tensor.

/**
 * What other libraries call the options and values here, without case and punctuation: `here=there,there`. Of several that
 * are known, the first counts. Optimizers, rules and subpaths have tables of their own for what only they need.
 */
const COMMON = "eps=epsilon momentum=mu capacity=size,bytes";

/** A name without case and punctuation, so that `weight_decay` is `weightDecay`. */
const plain = (name: string): string =>
  name
    .slice(0, 100)
    .toLowerCase()
    .replace(/[^a-z\d]/g, "");

/** Whether a becomes b by inserting, removing, replacing or swapping at most `most` characters. */
const isNear = (a: string, b: string, most: number): boolean =>
  a === b ||
  (a.at(0) === b.at(0)
    ? isNear(a.slice(1), b.slice(1), most)
    : most > 0 &&
      (isNear(a.slice(1), b.slice(1), most - 1) ||
        isNear(a.slice(1), b, most - 1) ||
        isNear(a, b.slice(1), most - 1) ||
        (b.startsWith(a[1] + a[0]) && isNear(a.slice(2), b.slice(2), most - 1))));

/** `; did you mean "x"?`, where one of the known names is near or means the same in another library; otherwise nothing. */
export function didYouMean(given: string, known: readonly string[], aliases = ""): string {
  const name = plain(given);
  const near = (most: number): string | undefined =>
    name.length > 2 * most ? known.find((other) => isNear(name, plain(other), most)) : undefined;
  const alias = `${aliases} ${COMMON}`
    .split(" ")
    .map((entry) => entry.split(/[=,]/))
    .find(([here, ...there]) => known.includes(here) && there.includes(name));
  const found = near(0) ?? alias?.[0] ?? near(1) ?? near(2);
  return found ? `; did you mean "${found.slice(0, 60)}"?` : "";
}
