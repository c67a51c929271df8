// For runtimes with a command line: prints the result as JSON.
import cases from "../../fixtures/cases.json.gz?text";
import inputs from "../../fixtures/inputs.json?text";
import { runSuite } from "../suite/index.js";

/** What the jsc shell has instead of a console. */
const { print } = globalThis as { print?: (text: string) => void };
(print ?? console.log)(JSON.stringify(runSuite(cases, inputs)));
