import { Threads } from "gradstep/threads";

const MOST = 4;

/** Threads for a worker of this page, where the browser allows shared memory and the device has more than one processor. */
export async function startThreads(): Promise<Threads | undefined> {
  const count = Math.min(MOST, navigator.hardwareConcurrency);
  const shares = crossOriginIsolated && "SharedArrayBuffer" in globalThis;
  return shares && count > 1 ? Threads.create(count) : undefined;
}
