import type { Message } from "./messages.js";
import { nodeThreads } from "./platform.js";

/** The pool as a worker sees it. */
export interface Parent {
  post(message: "ready"): void;
  listen(receive: (message: Message) => void): void;
}

/** The pool, in a worker. */
export function parent(): Parent {
  const port = nodeThreads()?.parentPort;
  if (port)
    return {
      post: (message) => port.postMessage(message),
      listen: (receive) => port.on("message", (message) => receive(message as Message)),
    };
  return {
    post: (message) => globalThis.postMessage(message),
    listen: (receive) => globalThis.addEventListener("message", (event) => receive(event.data as Message)),
  };
}
