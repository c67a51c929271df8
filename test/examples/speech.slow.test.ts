// The speech command: what it prints, learns and refuses.
import { expect, test } from "vitest";
import { LENGTH, say, words } from "../../examples/speech/words.ts";
import { run } from "./command.ts";
import { temporaryFolder } from "./tiny-files.ts";

const folder = temporaryFolder();
const speech = (args: string) => run(folder, args.split(" "), {}, "speech");

test("words are finite, as loud as the others, and the same for a seed", () => {
  const { x, y } = say(60, 3);
  expect(new Set(y).size).toBe(words.length);
  for (let row = 0; row < 60; row++) {
    const loudest = x.subarray(row * LENGTH, (row + 1) * LENGTH).reduce((most, s) => Math.max(most, Math.abs(s)), 0);
    if (!(loudest > 0.25 && loudest < 1.1)) expect.fail(`word ${row} is as loud as ${loudest}`);
  }
  const bytes = (seed: number): Buffer => Buffer.from(say(60, seed).x.buffer);
  expect(bytes(3).equals(Buffer.from(x.buffer))).toBe(true);
  expect(bytes(4).equals(Buffer.from(x.buffer))).toBe(false);
});

test.concurrent("says what it learns from, learns, and prints what it hears", async () => {
  const { code, stdout, stderr } = await speech("--train 600 --test 200 --epochs 3");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^600 \+ 200 made words \(not recordings\), 0\.3 s at 8000 Hz, 10 kinds\n/);
  expect(stdout.match(/^epoch [123]\/3 {2}loss \d\.\d{4} {2}accuracy [01]\.\d{4}$/gm)).toHaveLength(3);
  expect(stdout.match(/^ {2}\w+ +\w+ \d+ %/gm)).toHaveLength(words.length);
  expect(Number(/\ntest accuracy (\S+)\n$/.exec(stdout)?.[1])).toBeGreaterThan(0.5);
});

test.concurrent.each([
  ["--epoch 1", /unknown option '--epoch'\n\(Did you mean --epochs\?\)/],
  ["--batch 1", /--batch.*whole number from 2/],
  ["--lr -1", /^error: AdamW: "lr" expected/],
  ["10", /too many arguments[^]*npm run speech -- --epochs 10/],
])("%s: exit code 2", async (args, message) => {
  const { code, stderr } = await speech(args);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});
