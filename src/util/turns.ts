// Gives other tasks of the program their turn during a long computation.

/** Waits until other tasks, such as events of a page, have had their turn. */
export function otherTasks(): Promise<unknown> {
  const { scheduler, setImmediate } = globalThis as {
    scheduler?: { yield?(): Promise<void> };
    setImmediate?: (callback: () => void) => void;
  };
  if (scheduler?.yield !== undefined) return scheduler.yield();
  return new Promise<void>((resolve) => (setImmediate ?? setTimeout)(resolve));
}
