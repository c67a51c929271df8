/**
 * JSON.parse that refuses an object with two values of one name, of which JSON.parse would keep the last.
 * @throws whatever `damage` makes of what is wrong.
 */
export function parseJson(text: string, damage: (fault: string) => Error): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damage(`is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const twice = doubledName(text);
  if (twice !== undefined) throw damage(`has the name ${JSON.stringify(twice)} twice`);
  return value;
}

const [QUOTE, BACKSLASH, OPEN, CLOSE, COLON] = Array.from('"\\{}:', (c) => c.charCodeAt(0));
const isSpace = (unit: number): boolean => unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);

/** A name that an object of valid JSON has twice. Looks at strings and braces alone; a string before a colon is a name. */
function doubledName(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === OPEN) open.push(new Set());
    if (unit === CLOSE) open.pop();
    if (unit !== QUOTE) continue;
    const from = i++;
    while (text.charCodeAt(i) !== QUOTE) i += text.charCodeAt(i) === BACKSLASH ? 2 : 1;
    let next = i + 1;
    while (isSpace(text.charCodeAt(next))) next++;
    if (text.charCodeAt(next) !== COLON) continue;
    const name = JSON.parse(text.slice(from, i + 1)) as string;
    const names = open[open.length - 1];
    if (names.has(name)) return name;
    names.add(name);
  }
  return undefined;
}

/** JSON in which infinities and −0 are numbers still, as JSON.parse and Python's json.loads read them: 1e999, -0. */
export function stringifyNumbers(value: unknown): string {
  if (typeof value === "number") {
    if (Object.is(value, -0)) return "-0.0";
    return Math.abs(value) === Infinity ? (value > 0 ? "1e999" : "-1e999") : JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(stringifyNumbers).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .map(([name, item]) => `${JSON.stringify(name)}: ${stringifyNumbers(item)}`)
      .join(", ")}}`;
  return JSON.stringify(value);
}
