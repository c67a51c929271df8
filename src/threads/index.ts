export { SharedArena, type SharedArenaOptions } from "./arena.js";
export { SharedParameterDict, type SharedMemoryOptions } from "./parameters.js";
export { Threads, type ThreadsOptions } from "./pool.js";
