// The bits of distributed training's parts: models and updates as messages, rows and seeds.
import { MODEL, fingerprint } from "../../../src/distributed/message.js";
import { fillRows, placeOf, seedOf } from "../../../src/distributed/rows.js";
import { Workspace } from "../../../src/distributed/workspace.js";
import { Hash } from "./hash.js";

const NUMEL = 3000;

export function distributedBits(noise: Float32Array): string {
  const hash = new Hash();
  const workspace = new Workspace(NUMEL, 2);
  const header = { kind: MODEL, run: fingerprint("run"), inner: fingerprint("inner"), replica: 1, text: 0, value: 0.1 };
  for (let round = 1; round <= 20; round++) {
    workspace.before.forEach((_, i, list) => (list[i] = noise[(i * round) % noise.length]));
    const model = workspace.encodeModel(Float32Array.of(round, -round)).slice();
    const sum = workspace.checksum(model);
    for (const message of workspace.pack(model, { ...header, round, model: sum })) hash.bytes(message);
    workspace.decodeModel(model, sum);
    workspace.after.forEach(
      (_, i, list) => (list[i] = workspace.before[i] + noise[(i + round) % noise.length] / round),
    );
    const update = workspace.encodeUpdate(Float32Array.of(round / 3, 0))!.slice();
    hash.bytes(update);
    workspace.subtractUpdate(update);
    hash.numbers(workspace.after);
  }
  const settings = { samples: 1_000_003, batchSize: 100, replicas: 7, localSteps: 3, seed: 2 ** 40 + 5 };
  const rows = new Uint32Array(settings.batchSize);
  for (let round = 1; round < 2 ** 31; round *= 3) {
    const place = placeOf(settings, round, 5, 2);
    fillRows(settings, place, rows);
    hash.bytes(new Uint8Array(rows.buffer)).number(seedOf(settings, place));
  }
  return hash.hex();
}
