// For workerd: answers any request with the result.
import cases from "../../fixtures/cases.json.gz?text";
import inputs from "../../fixtures/inputs.json?text";
import { runSuite } from "../suite/index.js";

export default {
  fetch: (): Response => Response.json(runSuite(cases, inputs)),
};
