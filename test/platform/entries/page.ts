// For browsers, and for hosts that can look at a global variable.
import cases from "../../fixtures/cases.json.gz?text";
import inputs from "../../fixtures/inputs.json?text";
import { type Result, runSuite } from "../suite/index.js";

(globalThis as { result?: Result }).result = runSuite(cases, inputs);
