// A file in a Durable Object's storage, in parts: a value may have 128 KiB, or 2 MB together with its key where the
// storage is SQLite. One put takes 128 entries, which are written all or none: room for 15 MB.
const PART = 120 * 1024;
const keyOf = (_: unknown, i: number): string => `part ${i}`;

export async function store(storage: DurableObjectStorage, file: Uint8Array): Promise<void> {
  const count = Math.ceil(file.length / PART);
  const parts = Array.from({ length: count }, (_, i) => file.slice(i * PART, (i + 1) * PART));
  await storage.put({ count, ...Object.fromEntries(parts.map((part, i) => [keyOf(part, i), part])) });
}

export async function restore(storage: DurableObjectStorage): Promise<Uint8Array | undefined> {
  const count = await storage.get<number>("count");
  if (count === undefined) return undefined;
  const keys = Array.from({ length: count }, keyOf);
  const parts = await storage.get<Uint8Array<ArrayBuffer>>(keys);
  return new Uint8Array(await new Blob(keys.map((key) => parts.get(key)!)).arrayBuffer());
}
