import { startThreads } from "../page/threads.ts";
import { type Outcome, SIZES, contest } from "./contest.ts";

/** A step on fewer parameters stays on one thread. */
const DIVIDED = 65_536;

/** What the worker tells: an outcome for each size, or what went wrong. */
export type Told =
  { readonly kind: "outcome"; readonly outcome: Outcome } | { readonly kind: "failed"; message: string };

addEventListener("message", () => {
  measure().catch((error: unknown) => {
    postMessage({ kind: "failed", message: error instanceof Error ? error.message : String(error) } satisfies Told);
  });
});

async function measure(): Promise<void> {
  const threads = await startThreads();
  for (const size of SIZES) {
    const outcome = contest(size, size >= DIVIDED ? threads : undefined);
    postMessage({ kind: "outcome", outcome } satisfies Told);
  }
  await threads?.dispose();
}
