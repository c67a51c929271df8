// A script that is not gradstep's: it loads, stays alive and sends nothing.
import { setInterval } from "node:timers";

setInterval(() => undefined, 1e6);
