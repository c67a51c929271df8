// 20 steps, a checkpoint, 20 more in a fresh process: the bits of 40 without a stop.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { save } from "../../src/checkpoint/index.js";
import { unpack } from "../../src/checkpoint/safetensors.js";
import { CUT, END, type Run, scenarios } from "./scenarios.js";

const folder = mkdtempSync(join(tmpdir(), "gradstep-resume-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bytesOf({ params, optimizers, extra }: Run): Uint8Array {
  const states = Object.fromEntries(Object.entries(extra).map(([name, part]) => [name, part.stateDict()]));
  return save(params, { optimizers, extra: states });
}

const whole: Uint8Array[] = [];
beforeAll(() => {
  scenarios.forEach(({ begin }, i) => {
    const run = begin(false);
    for (let t = 1; t <= END; t++) {
      run.step(t);
      if (t === CUT) writeFileSync(join(folder, `${i}.cut`), bytesOf(run));
    }
    whole.push(bytesOf(run));
  });
  const child = fileURLToPath(new URL("child.ts", import.meta.url));
  execFileSync(process.execPath, ["--import", import.meta.resolve("tsx"), child, folder], { stdio: "inherit" });
});

describe("a run that continues in a new process", () => {
  test.each(scenarios.map(({ title }, i) => [title, i] as const))("%s", (_, i) => {
    const file = (name: string): Uint8Array => readFileSync(join(folder, `${i}.${name}`));
    const [end, cut] = [unpack(file("end")), unpack(file("cut"))];
    for (const [name, { bytes }] of unpack(whole[i]).tensors)
      expect(Buffer.compare(end.tensors.get(name)?.bytes ?? new Uint8Array(), bytes), name).toBe(0);
    expect(Buffer.compare(file("end"), whole[i]), "numbers beside the tensors").toBe(0);
    const moved = [...cut.tensors].filter(([name, { bytes }]) => {
      return !name.includes(".") && Buffer.compare(end.tensors.get(name)?.bytes ?? bytes, bytes) !== 0;
    });
    expect(moved.length, "tensors that the last steps moved").toBeGreaterThan(1);
  });
});
