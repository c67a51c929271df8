// A JSON parser for files that may be damaged or crafted: JSON.parse accepts an object with the same name twice, and deep
// nesting may overflow an engine's stack.
import { clip } from "../util/check.js";

/** How deep objects and lists may be nested. */
export const MAX_DEPTH = 520;

/** Makes the error to throw from a description of the fault. */
type Damage = (fault: string) => Error;

/** Which numbers to accept: Python's json.dumps also writes NaN, Infinity and -Infinity. */
export type Numbers = "JSON" | "Python";

/**
 * Like JSON.parse, but refuses an object with the same name twice, and nesting deeper than {@link MAX_DEPTH}.
 * @throws the error that `damage` makes.
 */
export function parseJson(text: string, damage: Damage, numbers: Numbers = "JSON"): unknown {
  return new Parser(text, damage, numbers).whole();
}

/** Takes a member of an object and returns whether its name is new. */
type Put = (name: string, value: unknown) => boolean;

/** Passes the members of a JSON object to `put` one by one, since a header can have a million. */
export function parseMembers(text: string, damage: Damage, put: Put): void {
  new Parser(text, damage, "JSON").members(put);
}

const [QUOTE, BACKSLASH, OPEN, CLOSE, LIST, END, COMMA, COLON] = Array.from('"\\{}[],:', (c) => c.charCodeAt(0));
const words: Readonly<Record<Numbers, [string, unknown][]>> = {
  JSON: Object.entries({ true: true, false: false, null: null }),
  Python: Object.entries({ NaN, Infinity, "-Infinity": -Infinity }),
};

class Parser {
  #at = 0;
  #depth = 0;
  readonly #text: string;
  readonly #damage: Damage;
  readonly #words: [string, unknown][];
  readonly #number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

  constructor(text: string, damage: Damage, numbers: Numbers) {
    this.#text = text;
    this.#damage = damage;
    this.#words = numbers === "JSON" ? words.JSON : [...words.JSON, ...words.Python];
  }

  whole(): unknown {
    const value = this.#value();
    this.#end();
    return value;
  }

  members(put: Put): void {
    this.#object(put);
    this.#end();
  }

  #value(): unknown {
    this.#skipSpace();
    const unit = this.#text.charCodeAt(this.#at);
    if (unit === QUOTE) return this.#string();
    if (unit === OPEN) {
      const object: Record<string, unknown> = {};
      this.#object((name, value) => {
        if (Object.hasOwn(object, name)) return false;
        if (name !== "__proto__") object[name] = value;
        else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
        return true;
      });
      return object;
    }
    return unit === LIST ? this.#list() : this.#word();
  }

  #object(put: Put): void {
    this.#enter(OPEN);
    if (this.#leave(CLOSE)) return;
    for (;;) {
      this.#skipSpace();
      const name = this.#string();
      this.#expect(COLON);
      if (!put(name, this.#value())) throw this.#damage(`has the name ${quote(name)} twice`);
      if (this.#leave(CLOSE)) return;
      this.#expect(COMMA);
    }
  }

  #list(): unknown[] {
    const list: unknown[] = [];
    this.#enter(LIST);
    if (this.#leave(END)) return list;
    for (;;) {
      list.push(this.#value());
      if (this.#leave(END)) return list;
      this.#expect(COMMA);
    }
  }

  #enter(unit: number): void {
    this.#expect(unit);
    if (++this.#depth > MAX_DEPTH) throw this.#damage(`is nested more than ${MAX_DEPTH} deep`);
  }

  #leave(unit: number): boolean {
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== unit) return false;
    this.#at++;
    this.#depth--;
    return true;
  }

  #expect(unit: number): void {
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== unit) throw this.#unexpected();
    this.#at++;
  }

  #string(): string {
    const text = this.#text;
    const from = this.#at;
    if (text.charCodeAt(from) !== QUOTE) throw this.#unexpected();
    let escaped = false;
    for (this.#at++; text.charCodeAt(this.#at) !== QUOTE; this.#at++) {
      if (!(text.charCodeAt(this.#at) >= 0x20)) throw this.#unexpected();
      if (text.charCodeAt(this.#at) !== BACKSLASH) continue;
      escaped = true;
      this.#at++;
    }
    this.#at++;
    if (!escaped) return text.slice(from + 1, this.#at - 1);
    try {
      return JSON.parse(text.slice(from, this.#at)) as string;
    } catch {
      this.#at = from;
      throw this.#damage(`is no JSON: a wrong escape in the string at character ${from}`);
    }
  }

  #word(): unknown {
    const [text, at] = [this.#text, this.#at];
    const word = this.#words.find(([known]) => text.startsWith(known, at));
    if (word !== undefined) {
      this.#at += word[0].length;
      return word[1];
    }
    this.#number.lastIndex = at;
    if (!this.#number.test(text)) throw this.#unexpected();
    this.#at = this.#number.lastIndex;
    return Number(text.slice(at, this.#at));
  }

  #end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected();
  }

  #skipSpace(): void {
    for (; ; this.#at++) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
    }
  }

  #unexpected(): Error {
    const [text, at] = [this.#text, this.#at];
    const found = at < text.length ? JSON.stringify(text[at]) : "its end";
    return this.#damage(`is no JSON: unexpected ${found} at character ${at}`);
  }
}

/** A name in quotes, shortened to 100 characters. */
export const quote = (name: string): string => clip(JSON.stringify(clip(name, 80)), 100);

/** JSON with NaN, infinities and −0 as {@link parseJson} and Python's json.loads read them. */
export function stringifyNumbers(value: unknown): string {
  if (typeof value === "number") {
    if (Object.is(value, -0)) return "-0.0";
    if (Number.isNaN(value)) return "NaN";
    return Math.abs(value) === Infinity ? (value > 0 ? "1e999" : "-1e999") : JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(stringifyNumbers).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .map(([name, item]) => `${JSON.stringify(name)}: ${stringifyNumbers(item)}`)
      .join(", ")}}`;
  return JSON.stringify(value);
}
