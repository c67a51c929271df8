import { type Code, type Instruction, parse } from "./pattern-parser.js";

/** A pattern in a group: a RegExp from the running program, or a {@link SafePattern} from a file. */
export interface Pattern {
  /** As `RegExp.source`. */
  readonly source: string;
  /** As `RegExp.flags`. */
  readonly flags: string;
  /** Whether any part of the text matches. */
  test(text: string): boolean;
}

/** The number of instructions that the patterns of one file may have in total. */
const BUDGET = 500;

/** The number of instructions that the further patterns of a file may have. */
export interface Budget {
  left: number;
}

export const newBudget = (): Budget => ({ left: BUDGET });

/**
 * A regular expression from an untrusted file. JavaScript's RegExp backtracks: `(a+)+$` takes 2^n attempts. This class takes
 * time linear in the text, by Thompson's method: for each position, from the last to the first, it computes the set of
 * instructions from which a match can be reached.
 *
 * Supports all but backreferences, lookbehind, named groups, `\p` and the flag `v`.
 *
 * @throws SyntaxError for unsupported syntax and for a pattern with too many instructions.
 */
export class SafePattern implements Pattern {
  readonly source: string;
  readonly flags: string;
  readonly #code: Code;

  constructor(source: string, flags: string, budget: Budget = newBudget()) {
    new RegExp(source, flags); // throws if it is no regular expression
    this.source = source;
    this.flags = flags;
    this.#code = parse(source, flags, budget);
  }

  test(text: string): boolean {
    const chars = this.flags.includes("u") ? Array.from(text) : text.split("");
    return starts(this.#code, chars).includes(1);
  }
}

/** For each position of the text including its end, whether a match of the code can begin there. */
function starts(code: Code, chars: readonly string[]): Uint8Array {
  const lookaheads = new Map<Instruction, Uint8Array>();
  for (const step of code) if (step.op === "look") lookaheads.set(step, starts(step.code, chars));
  const found = new Uint8Array(chars.length + 1);
  let after = new Uint8Array(code.length);
  let here = new Uint8Array(code.length);
  for (let i = chars.length; i >= 0; i--) {
    here.fill(0);
    // A jump back sees a change at its target in the next sweep only, so each nested loop costs one more sweep.
    for (let stable = false; !stable;) {
      for (let pc = code.length - 1; pc >= 0; pc--) {
        const step = code[pc];
        let reached = 1;
        if (step.op === "char") reached = i < chars.length && after[pc + 1] && step.accepts(chars[i]) ? 1 : 0;
        else if (step.op === "edge") reached = here[pc + 1] && step.holds(chars, i) ? 1 : 0;
        else if (step.op === "look")
          reached = here[pc + 1] && (lookaheads.get(step)?.[i] === 1) !== step.negative ? 1 : 0;
        else if (step.op === "split") reached = here[pc + 1] | here[step.to];
        else if (step.op === "jump") reached = here[step.to];
        here[pc] = reached;
      }
      stable = code.every((step, pc) => step.op !== "jump" || here[pc] === here[step.to]);
    }
    found[i] = here[0];
    [after, here] = [here, after];
  }
  return found;
}
