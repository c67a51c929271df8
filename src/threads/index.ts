/**
 * Steps, norms and matrix products on several threads, with the bits of one. In a browser the page must be cross-origin
 * isolated; workerd and Vercel's edge runtime have no threads.
 *
 * @example
 * import { AdamW } from "gradstep";
 * import { SharedParameterDict, Threads } from "gradstep/threads";
 *
 * const threads = await Threads.create(2);
 * const params = new SharedParameterDict({ w: [4096, 1024] }, { threads });
 * new AdamW(params).step();
 * await threads.dispose();
 *
 * @module gradstep/threads
 */

export { SharedParameterDict, type SharedMemoryOptions } from "./parameters.js";
export { SharedArena, type SharedArenaOptions, Threads, type ThreadsOptions } from "./threads.js";
