/* global setTimeout */
import { AdamW, ParameterDict, clipGradNorm } from "gradstep";

const SIZE = 2 ** 20;

/** A hash of a million parameters after some steps. */
function hashOf(params) {
  let x = 1;
  const fill = (view) => {
    for (let i = 0; i < SIZE; i++) {
      x = (Math.imul(x, 1103515245) + 12345) >>> 0;
      view[i] = x / 2 ** 32 - 0.5;
    }
  };
  fill(params.data.w);
  const optimizer = new AdamW(params);
  for (let t = 0; t < 20; t++) {
    if (t % 10 === 0) fill(params.grad.w);
    clipGradNorm(params, 100);
    optimizer.step();
  }
  const words = new Uint32Array(params.data.w.buffer, params.data.w.byteOffset, SIZE);
  return words.reduce((hash, word) => Math.imul(hash ^ word, 16777619) >>> 0, 2166136261);
}

export const inNode = () => hashOf(new ParameterDict({ w: [SIZE] }));

/** The same on two threads, which are then ended. */
export async function inBrowser() {
  const { SharedParameterDict, Threads } = await import("gradstep/threads");
  const threads = await Threads.create(2);
  const params = new SharedParameterDict({ w: [SIZE] }, { threads });
  await new Promise((resolve) => setTimeout(resolve, 100)); // the worker gets the memory
  const hash = hashOf(params);
  const { helped } = params.arena.memory;
  await threads.dispose();
  return { hash, helped, workers: threads.workers, size: threads.size };
}
