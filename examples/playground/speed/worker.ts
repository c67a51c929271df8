import { SIZES, type Outcome, contest } from "./contest.ts";

/** What the worker tells: an outcome for each size, or what went wrong. */
export type Told =
  { readonly kind: "outcome"; readonly outcome: Outcome } | { readonly kind: "failed"; message: string };

addEventListener("message", () => {
  try {
    for (const size of SIZES) postMessage({ kind: "outcome", outcome: contest(size) } satisfies Told);
  } catch (error) {
    postMessage({ kind: "failed", message: error instanceof Error ? error.message : String(error) } satisfies Told);
  }
});
