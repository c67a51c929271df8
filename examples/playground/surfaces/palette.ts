import { hcl } from "d3";
import { isDark } from "../page/theme.ts";
import { type RuleKey, ruleKeys } from "./rules.ts";

/** Neighbours in the list are far apart on the colour wheel. */
const GOLDEN_ANGLE = 137.508;

/** The colour of a rule, as bright as the page is dark. */
export function colourOf(rule: RuleKey): string {
  const place = ruleKeys.indexOf(rule);
  const lift = 5 * ((place % 3) - 1);
  return hcl(20 + place * GOLDEN_ANGLE, 68, (isDark() ? 72 : 46) + lift).formatHex();
}
