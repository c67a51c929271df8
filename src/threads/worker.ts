// The script of a worker. It first receives the pool's words, later each new memory. Between messages it stays in `serve`,
// where it works when it is called, waits a while for more work, and sleeps.
import * as layout from "../wasm/generated/layout/threads.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import { BlockRunner, type Divisible } from "./block-runner.js";
import type { Message } from "./messages.js";
import { parent } from "./parent.js";

const memories = new Map<number, WebAssembly.Memory>();
const runners = new Map<number, BlockRunner>();
let words = new Int32Array(layout.THREAD_WORDS);
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
      memories.set(id, memory);
      runners.set(id, new BlockRunner(memory.buffer, instantiate(module, memory) as Kernels, thread, threads));
      ready(memory);
      break;
    }
    case "load": {
      const memory = memories.get(message.id);
      if (memory === undefined) return;
      runners.get(message.id)?.add(instantiate(message.binary, memory) as Divisible);
      ready(memory);
      break;
    }
    case "drop":
      runners.delete(message.id);
      memories.delete(message.id);
  }
}

const instantiate = (binary: WebAssembly.Module, memory: WebAssembly.Memory): unknown =>
  new WebAssembly.Instance(binary, { env: { memory } }).exports;

/** Counts one more binary on a memory. */
function ready(memory: WebAssembly.Memory): void {
  Atomics.add(new Int32Array(memory.buffer), (layout.QUEUE + thread * layout.QUEUE_BYTES + layout.READY) / 4, 1);
}

/** Works until a message is due, which only the event loop can receive. */
function serve(): void {
  const own = thread * layout.THREAD_WORDS;
  let seen = Atomics.load(words, own + layout.CALLS);
  for (;;) {
    runners.get(Atomics.load(words, own + layout.MEMORY))?.run();
    for (const until = performance.now() + spin; ;) {
      if (Atomics.load(words, own + layout.MESSAGES) !== received) return;
      if (Atomics.load(words, own + layout.CALLS) !== seen) break;
      if (performance.now() < until) continue;
      Atomics.store(words, own + layout.ASLEEP, 1);
      Atomics.wait(words, own + layout.CALLS, seen);
      Atomics.store(words, own + layout.ASLEEP, 0);
    }
    seen = Atomics.load(words, own + layout.CALLS);
  }
}
