// A worker that comes when it is called, but never claims a block.
Atomics.sub = () => 0;
await import("../../dist/threads/worker.js");
