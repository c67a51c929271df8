// A script that is not gradstep's, that sends other messages.
import { setInterval } from "node:timers";
import { parentPort } from "node:worker_threads";
setInterval(() => parentPort.postMessage("hello"), 10);
