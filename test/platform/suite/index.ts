// What every runtime is asked: golden vectors, checkpoints, refusals, and the bits of long runs. It needs no test
// framework, no file system and no clock.
import { Adam, Arena, ParameterDict } from "../../../src/index.js";
import { MLP } from "../../../src/nn/index.js";
import { checkRefused, common } from "../../support/bad.js";
import { checkCase, parseGolden } from "../../rules/golden.js";
import { rows } from "../../rules/table.js";
import { parts } from "./bits.js";
import { checkDamage, checkRoundTrip } from "./checkpoint.js";
import { Hash } from "./hash.js";

export interface Result {
  passed: number;
  failed: number;
  /** What failed, and how; the first ones. */
  failures: string[];
  /** Of all parts together. */
  hash: string;
  /** Of each part, to find what differs. */
  parts: Record<string, string>;
}

const MOST_FAILURES = 20;

/** The suite, given the texts of cases.json and inputs.json. */
export function runSuite(cases: string, inputs: string): Result {
  const result: Result = { passed: 0, failed: 0, failures: [], hash: "", parts: {} };
  const check = (title: string, body: () => void): void => {
    try {
      body();
      result.passed++;
    } catch (error) {
      result.failed++;
      if (result.failures.length < MOST_FAILURES) result.failures.push(`${title}: ${describe(error)}`);
    }
  };

  check("FNV-1a of a known text", () => {
    equal(new Hash().text("foobar").hex(), "85944171f73967e8");
  });
  const golden = parseGolden(cases, inputs);
  check("there are 162 golden vectors", () => equal(golden.cases.length, 162));
  for (const c of golden.cases) check(`golden ${c.name}`, () => checkCase(c, golden));
  for (const row of rows) {
    check(`checkpoint of ${row.rule}`, () => checkRoundTrip(row));
    for (const bad of [...common, ...row.bad])
      check(`${row.rule} refuses ${JSON.stringify(bad[0])}`, () => checkRefused(row, bad));
  }
  check("a damaged checkpoint is refused", checkDamage);
  for (const [what, body, message] of refusals) check(what, () => refused(body, message));

  for (const [name, bits] of parts)
    check(`bits of ${name}`, () => {
      result.parts[name] = bits();
    });
  result.hash = new Hash().text(JSON.stringify(result.parts)).hex();
  return result;
}

const refusals: readonly (readonly [what: string, body: () => void, message: string])[] = [
  [
    "an arena that is too small",
    () => new ParameterDict({ w: [2 ** 20] }, { capacity: 2 ** 20 }),
    "RangeError: ParameterDict: needs 8388608 bytes for ",
  ],
  [
    "a module that is none",
    () => new Arena({ capacity: 1, module: {} }),
    'TypeError: Arena: "module" expected a WebAssembly.Module of gradstep/kernels.wasm, got an object',
  ],
  [
    "use after dispose()",
    () => {
      const params = new ParameterDict({ w: [1] });
      const optimizer = new Adam(params);
      optimizer.dispose();
      optimizer.step();
    },
    "Error: Adam: used after dispose()",
  ],
  [
    "a label out of range",
    () => new MLP([1, 2]).trainBatch(Float32Array.of(1), [2]),
    'RangeError: MLP: "y[0]" expected ',
  ],
];

function refused(body: () => void, message: string): void {
  let got = "nothing was thrown";
  try {
    body();
  } catch (error) {
    got = String(error);
  }
  if (!got.startsWith(message)) throw new Error(`expected "${message}", got "${got}"`);
}

function equal(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${String(actual)} is not ${String(expected)}`);
}

function describe(error: unknown): string {
  return error instanceof Error ? `${String(error)}${error.cause ? ` (${describe(error.cause)})` : ""}` : String(error);
}
