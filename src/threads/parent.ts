import type { Message } from "./messages.js";
import { nodeThreads } from "./platform.js";

/** The worker's side of the messages between it and the pool. */
export interface Parent {
  post(message: "ready"): void;
  listen(receive: (message: Message) => void): void;
}

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
