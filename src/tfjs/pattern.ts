import { type Code, type Instruction, parse } from "./pattern-parser.js";

/** What a group's pattern needs: a RegExp of the program that runs, or a {@link SafePattern} of a file. */
export interface Pattern {
  /** As `RegExp.source`. */
  readonly source: string;
  /** As `RegExp.flags`. */
  readonly flags: string;
  /** Whether the text, or some part of it, matches. */
  test(text: string): boolean;
}

/** Instructions that all patterns of a file may have together. */
const BUDGET = 500;

/** How much all patterns of one file may ask for. */
export interface Budget {
  left: number;
}

export const newBudget = (): Budget => ({ left: BUDGET });

/**
 * A regular expression that came from a file, whose writer is not trusted: JavaScript's own tries every way to match, and
 * `(a+)+$` has 2^n of them. This one takes time in proportion to the text, by Thompson's method: for each position, from
 * the last to the first, the set of instructions from which a match can be reached.
 *
 * It takes all but backreferences, lookbehind, named groups, `\p` and the flag `v`.
 *
 * @throws SyntaxError for what it does not take, and for a pattern of too many instructions.
 */
export class SafePattern implements Pattern {
  readonly source: string;
  readonly flags: string;
  readonly #code: Code;

  constructor(source: string, flags: string, budget: Budget = newBudget()) {
    new RegExp(source, flags); // it is a pattern at all, or this throws
    this.source = source;
    this.flags = flags;
    this.#code = parse(source, flags, budget);
  }

  test(text: string): boolean {
    const chars = this.flags.includes("u") ? Array.from(text) : text.split("");
    return starts(this.#code, chars).includes(1);
  }
}

/** For each position of the text, and its end, whether a match of the code can begin there. */
function starts(code: Code, chars: readonly string[]): Uint8Array {
  const looks = new Map<Instruction, Uint8Array>();
  for (const step of code) if (step.op === "look") looks.set(step, starts(step.code, chars));
  const found = new Uint8Array(chars.length + 1);
  let after = new Uint8Array(code.length);
  let here = new Uint8Array(code.length);
  for (let i = chars.length; i >= 0; i--) {
    here.fill(0);
    // A loop's jump back sees what it leads to in the next sweep: there are as many more as loops in one another.
    let settled = false;
    while (!settled) {
      settled = true;
      for (let pc = code.length - 1; pc >= 0; pc--) {
        const step = code[pc];
        let reached: number;
        if (step.op === "match") reached = 1;
        else if (step.op === "char") reached = i < chars.length && after[pc + 1] && step.accepts(chars[i]) ? 1 : 0;
        else if (step.op === "edge") reached = here[pc + 1] && step.holds(chars, i) ? 1 : 0;
        else if (step.op === "look") reached = here[pc + 1] && (looks.get(step)?.[i] === 1) !== step.negative ? 1 : 0;
        else if (step.op === "split") reached = here[pc + 1] | here[step.to];
        else reached = here[step.to];
        here[pc] = reached;
      }
      for (let pc = 0; pc < code.length && settled; pc++) {
        const step = code[pc];
        if (step.op === "jump" && here[pc] !== here[step.to]) settled = false;
      }
    }
    found[i] = here[0];
    [after, here] = [here, after];
  }
  return found;
}
