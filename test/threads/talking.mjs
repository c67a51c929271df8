// A script that is not gradstep's, with messages of its own.
import { setInterval } from "node:timers";
import { parentPort } from "node:worker_threads";
setInterval(() => parentPort.postMessage("hello"), 10);
