import { Threads } from "gradstep/threads";

const MOST = 4;

/** Threads for a worker of this page, where the page is isolated and the device has more than one processor. */
export async function startThreads(): Promise<Threads | undefined> {
  const count = Math.min(MOST, navigator.hardwareConcurrency);
  return crossOriginIsolated && count > 1 ? Threads.create(count) : undefined;
}
