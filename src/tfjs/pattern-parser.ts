// Compiles a regular expression to instructions that match in linear time: see safe-pattern.ts.

/** Whether an instruction accepts a character. */
export type Accepts = (char: string) => boolean;

/** An instruction of a program that matches text. Without a target, the next instruction follows. */
export type Instruction =
  | { readonly op: "char"; readonly accepts: Accepts }
  | { readonly op: "edge"; readonly holds: (chars: readonly string[], at: number) => boolean }
  | { readonly op: "look"; readonly code: Code; readonly negative: boolean }
  | { readonly op: "split"; to: number }
  | { readonly op: "jump"; to: number }
  | { readonly op: "match" };

export type Code = readonly Instruction[];

/** Appends the instructions of a part of the pattern. */
type Emit = (out: Instruction[]) => void;

/** The limit for nested loops, each of which costs another pass. */
const MAX_LOOPS = 4;
const MAX_LENGTH = 1000;

const isWord: Accepts = (c) => /^\w$/.test(c);
const classes: Readonly<Record<string, Accepts>> = {
  d: (c) => c >= "0" && c <= "9",
  w: isWord,
  s: (c) => /^\s$/.test(c),
};
const controls: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v", 0: "\0" };
const isLineEnd: Accepts = (c) => c === "\n" || c === "\r" || c === "\u2028" || c === "\u2029";

/** Compiles a valid regular expression. Throws a SyntaxError for what cannot be matched in linear time. */
export function parse(source: string, flags: string, budget: { left: number }): Code {
  const has = (flag: string) => flags.includes(flag);
  const refuse = (what: string): never => {
    throw new SyntaxError(what);
  };
  if (has("v")) refuse('the flag "v"');
  if (source.length > MAX_LENGTH) refuse(`more than ${MAX_LENGTH} characters`);
  const text = has("u") ? Array.from(source) : source.split("");
  const fold = (c: string): string => {
    const upper = c.toUpperCase();
    return has("i") && upper.length === c.length && (c < "\x80" || upper >= "\x80") ? upper : c;
  };
  let at = 0;
  let loops = 0;
  const spend = () => {
    if (--budget.left < 0) refuse("too many parts: list names instead");
  };
  const push = <T extends Instruction>(out: Instruction[], step: T): T => {
    spend();
    out.push(step);
    return step;
  };
  const eat = (expected: string): boolean => {
    const found = text.slice(at, at + expected.length).join("") === expected;
    if (found) at += expected.length;
    return found;
  };

  const single =
    (step: Instruction): Emit =>
    (out) =>
      push(out, step);
  const char = (accepts: Accepts) => single({ op: "char", accepts });
  const edge = (holds: (chars: readonly string[], at: number) => boolean) => single({ op: "edge", holds });
  const literal = (c: string): Accepts => {
    const wanted = fold(c);
    return (other) => fold(other) === wanted;
  };
  const either = (first: Emit, second: Emit): Emit => {
    return (out) => {
      const split = push(out, { op: "split", to: 0 });
      first(out);
      const jump = push(out, { op: "jump", to: 0 });
      split.to = out.length;
      second(out);
      jump.to = out.length;
    };
  };
  const repeat = (item: Emit, min: number, max: number): Emit => {
    return (out) => {
      for (let k = 0; k < min; k++) {
        spend();
        item(out);
      }
      const splits: { to: number }[] = [];
      if (max === Infinity) {
        const start = out.length;
        splits.push(push(out, { op: "split", to: 0 }));
        item(out);
        push(out, { op: "jump", to: start });
      } else
        for (let k = min; k < max; k++) {
          splits.push(push(out, { op: "split", to: 0 }));
          item(out);
        }
      for (const split of splits) split.to = out.length;
    };
  };
  const program = (emit: Emit): Code => {
    const out: Instruction[] = [];
    emit(out);
    push(out, { op: "match" });
    return out;
  };

  function alternatives(): Emit {
    const first = sequence();
    return eat("|") ? either(first, alternatives()) : first;
  }

  function sequence(): Emit {
    const items: Emit[] = [];
    while (at < text.length && text[at] !== "|" && text[at] !== ")") items.push(quantified());
    return (out) => {
      for (const item of items) item(out);
    };
  }

  function quantified(): Emit {
    const outer = loops;
    loops = 0;
    const item = atom();
    const inner = loops;
    loops = Math.max(outer, inner);
    const counts = quantifier();
    if (counts === undefined) return item;
    if (counts.max === Infinity) loops = Math.max(outer, inner + 1);
    if (loops > MAX_LOOPS) refuse(`more than ${MAX_LOOPS} loops in one another`);
    eat("?");
    return repeat(item, counts.min, counts.max);
  }

  function quantifier(): { min: number; max: number } | undefined {
    if (eat("*")) return { min: 0, max: Infinity };
    if (eat("+")) return { min: 1, max: Infinity };
    if (eat("?")) return { min: 0, max: 1 };
    const found = /^\{(\d+)(,?)(\d*)\}/.exec(text.slice(at, at + 30).join(""));
    if (found === null) return undefined;
    const [all, min, comma, max] = found;
    at += all.length;
    return { min: Number(min), max: max !== "" ? Number(max) : comma !== "" ? Infinity : Number(min) };
  }

  function atom(): Emit {
    const c = text[at++];
    const multiline = has("m");
    if (c === "^") return edge((chars, i) => i === 0 || (multiline && isLineEnd(chars[i - 1])));
    if (c === "$") return edge((chars, i) => i === chars.length || (multiline && isLineEnd(chars[i])));
    if (c === ".") return char(has("s") ? () => true : (other) => !isLineEnd(other));
    if (c === "[") return char(set());
    if (c === "(") return group();
    if (c === "\\" && (text[at] === "b" || text[at] === "B")) {
      const inside = text[at++] === "B";
      const word = (chars: readonly string[], i: number) => i >= 0 && i < chars.length && isWord(chars[i]);
      return edge((chars, i) => (word(chars, i - 1) === word(chars, i)) === inside);
    }
    if (c === "\\") {
      const escaped = escape();
      return char(typeof escaped === "string" ? literal(escaped) : escaped);
    }
    return char(literal(c));
  }

  function group(): Emit {
    const inside = (): Emit => {
      const inner = alternatives();
      at++;
      return inner;
    };
    const negative = text[at + 1] === "!";
    if (eat("?=") || eat("?!")) {
      const inner = inside();
      return (out) => push(out, { op: "look", code: program(inner), negative });
    }
    if (eat("?<=") || eat("?<!")) refuse("lookbehind");
    if (!eat("?:") && text[at] === "?") refuse("named groups and modifiers");
    return inside();
  }

  /** Reads what follows a backslash: a character or a class of characters. */
  function escape(): string | Accepts {
    const c = text[at++];
    const kind = c.toLowerCase();
    if (Object.hasOwn(classes, kind)) {
      const accepts = classes[kind];
      return c === kind ? accepts : (other) => !accepts(other);
    }
    const hex = (digits: number): string => {
      const found = text.slice(at, at + digits).join("");
      if (found.length < digits || !/^[\da-f]+$/i.test(found)) refuse("this escape");
      at += digits;
      return String.fromCharCode(parseInt(found, 16));
    };
    if (c === "x") return hex(2);
    if (c === "u" && text[at] !== "{") return hex(4);
    if (c === "0" && !/\d/.test(text[at] ?? "")) return "\0";
    if (c !== "0" && Object.hasOwn(controls, c)) return controls[c];
    if (c >= "0" && c <= "9") refuse("backreferences");
    if (/[a-z]/i.test(c)) refuse(`the escape \\${c}`);
    return c;
  }

  function set(): Accepts {
    const negative = eat("^");
    const parts: Accepts[] = [];
    const one = (): string | Accepts => {
      const c = text[at++];
      if (c !== "\\") return c;
      if (eat("b")) return "\b";
      if (eat("-")) return "-";
      return escape();
    };
    while (text[at] !== "]") {
      const from = one();
      if (text[at] !== "-" || text[at + 1] === "]") {
        parts.push(typeof from === "string" ? literal(from) : from);
        continue;
      }
      at++;
      const to = one();
      if (typeof from !== "string" || typeof to !== "string") {
        for (const end of [from, "-", to]) parts.push(typeof end === "string" ? literal(end) : end);
        continue;
      }
      const code = (c: string) => c.codePointAt(0) ?? 0;
      const within = (c: string) => code(c) >= code(from) && code(c) <= code(to);
      parts.push(has("i") ? (c) => within(c) || within(c.toLowerCase()) || within(c.toUpperCase()) : within);
    }
    at++;
    return (c) => parts.some((accepts) => accepts(c)) !== negative;
  }

  return program(alternatives());
}
