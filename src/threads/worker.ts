// What a worker runs. It is sent the pool's words first, then each memory as it comes; between messages it stays in
// `serve`, where it works when it is called, watches for a while, and sleeps.
import { ASLEEP, CALL, LINE, MEMORY, QUEUE, QUEUE_BYTES, READY, SENT } from "../wasm/generated/layout/threads.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import type { Message } from "./messages.js";
import { parent } from "./parent.js";
import { Share } from "./share.js";

const shares = new Map<number, Share>();
let words = new Int32Array(LINE);
let module: WebAssembly.Module;
let [thread, threads, spin, received] = [0, 0, 0, 0];

const port = parent();
port.listen((message) => {
  receive(message);
  received++;
  serve();
});

function receive(message: Message): void {
  switch (message.kind) {
    case "start":
      ({ words, module, thread, threads, spin } = message);
      port.post("ready");
      break;
    case "memory": {
      const { id, memory } = message;
      const { exports } = new WebAssembly.Instance(module, { env: { memory } });
      shares.set(id, new Share(memory.buffer, exports as unknown as Kernels, thread, threads));
      Atomics.store(new Int32Array(memory.buffer), (QUEUE + thread * QUEUE_BYTES + READY) / 4, 1);
      break;
    }
    case "drop":
      shares.delete(message.id);
  }
}

/** Works until there is a message to be received, which only the event loop can. */
function serve(): void {
  const line = thread * LINE;
  let seen = Atomics.load(words, line + CALL);
  for (;;) {
    shares.get(Atomics.load(words, line + MEMORY))?.work();
    for (const until = performance.now() + spin; ;) {
      if (Atomics.load(words, line + SENT) !== received) return;
      if (Atomics.load(words, line + CALL) !== seen) break;
      if (performance.now() < until) continue;
      Atomics.store(words, line + ASLEEP, 1);
      Atomics.wait(words, line + CALL, seen);
      Atomics.store(words, line + ASLEEP, 0);
    }
    seen = Atomics.load(words, line + CALL);
  }
}
