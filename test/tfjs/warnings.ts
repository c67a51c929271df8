import { type MockInstance, afterEach, beforeEach, vi } from "vitest";

/** Records the warnings of each test instead of printing them. */
export function watchWarnings(): { readonly texts: string[] } {
  let spy: MockInstance<typeof console.warn>;
  beforeEach(() => {
    spy = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  });
  afterEach(() => {
    spy.mockRestore();
  });
  return {
    get texts() {
      return spy.mock.calls.map(([text]) => String(text)).filter((text) => text.startsWith("GradstepOptimizer"));
    },
  };
}
