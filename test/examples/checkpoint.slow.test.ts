// Runs of the MNIST command that are killed and go on, against one that was never stopped.
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { save } from "../../src/checkpoint/index.ts";
import { ParameterDict } from "../../src/index.ts";
import { unpack } from "../../src/checkpoint/safetensors.ts";
import { command, run } from "./command.ts";
import { names, temporaryFolder, tinyFiles, writeFiles } from "./tiny-files.ts";

const folder = temporaryFolder();
writeFiles(folder, tinyFiles());
const tiny = (...args: string[]) => run(folder, ["--data", folder, ...args]);

/** The bytes of all tensors of a checkpoint: weights, state, average, losses, order. */
function tensorsOf(path: string): Record<string, string> {
  const { tensors } = unpack(readFileSync(join(folder, path)));
  return Object.fromEntries([...tensors].map(([name, { bytes }]) => [name, Buffer.from(bytes).toString("base64")]));
}

/** The epochs without their times. */
const epochsOf = (stdout: string): object[] =>
  (JSON.parse(stdout) as { epochs: { epoch: number; loss: number; accuracy: number }[] }).epochs.map(
    ({ epoch, loss, accuracy }) => ({ epoch, loss, accuracy }),
  );

/** Starts the command and sends it the signal a while after the checkpoint has changed; false if it had ended by then. */
async function stopped(args: readonly string[], path: string, signal: NodeJS.Signals, wait: number): Promise<boolean> {
  const bytes = (): string =>
    existsSync(join(folder, path)) ? readFileSync(join(folder, path)).toString("base64") : "";
  const before = bytes();
  const [file, ...words] = [...command, "--data", folder, ...args];
  const child = spawn(file, words, { cwd: folder, stdio: "ignore" });
  const end = new Promise<boolean>((settle) =>
    child.on("close", (code, by) => settle(by === signal || (signal === "SIGTERM" && code === 143))),
  );
  while (child.exitCode === null && bytes() === before) await setTimeout(5);
  await setTimeout(wait);
  child.kill(signal);
  return end;
}

describe("--checkpoint and --resume", () => {
  const settings = ["--rule", "nadam", "--batch", "16", "--hidden", "8,8", "--seed", "3"];

  it.concurrent("a run killed three times ends in the bits of one never stopped", { timeout: 60_000 }, async () => {
    const args = [...settings, "--ema", "0.99", "--schedule", "cosine", "--epochs", "400", "--json"];
    const whole = tiny(...args, "--checkpoint", "whole");
    const saving = [...args, "--checkpoint", "part", "--every", "5"];
    const kills = [await stopped(saving, "part", "SIGKILL", 30)];
    for (const [signal, wait] of [
      ["SIGTERM", 20],
      ["SIGKILL", 45],
    ] as const)
      kills.push(await stopped([...saving, "--resume", "part"], "part", signal, wait));
    expect(kills, "each was in the midst of it").toEqual([true, true, true]);
    const last = await tiny(...saving, "--resume", "part");
    expect(last.stderr).toBe("");
    expect(epochsOf(last.stdout)).toEqual(epochsOf((await whole).stdout));
    expect(tensorsOf("part")).toEqual(tensorsOf("whole"));
    expect(Object.keys(tensorsOf("part"))).toContain("gradstep.extra.progress.losses");
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it.concurrent("goes on to more epochs, and shows a finished run again", async () => {
    const args = [...settings, "--json"];
    await tiny(...args, "--epochs", "2", "--checkpoint", "two");
    const [four, more, again] = await Promise.all([
      tiny(...args, "--epochs", "4"),
      tiny(...args, "--epochs", "4", "--resume", "two"),
      tiny(...args, "--epochs", "2", "--resume", "two"),
    ]);
    expect(epochsOf(more.stdout)).toEqual(epochsOf(four.stdout));
    expect(epochsOf(again.stdout)).toEqual(epochsOf(four.stdout).slice(0, 2));
  });

  it.concurrent.each(["muon", "lbfgs", "schedulefreeadamw"])("%s goes on with the same bits", async (rule) => {
    const args = ["--rule", rule, "--batch", "32", "--hidden", "8", "--json"];
    await tiny(...args, "--epochs", "1", "--checkpoint", `${rule} 1`);
    await Promise.all([
      tiny(...args, "--epochs", "2", "--checkpoint", `${rule} whole`),
      tiny(...args, "--epochs", "2", "--checkpoint", `${rule} part`, "--resume", `${rule} 1`),
    ]);
    expect(tensorsOf(`${rule} part`)).toEqual(tensorsOf(`${rule} whole`));
  });

  it.concurrent(
    "a resnet goes on with the same bits, running statistics included, and not as another model",
    async () => {
      const args = ["--model", "resnet", "--schedule", "constant", "--batch", "32", "--json"];
      await tiny(...args, "--epochs", "1", "--checkpoint", "resnet 1");
      const [, , other] = await Promise.all([
        tiny(...args, "--epochs", "2", "--checkpoint", "resnet whole"),
        tiny(...args, "--epochs", "2", "--checkpoint", "resnet part", "--resume", "resnet 1"),
        tiny("--model", "cnn", "--batch", "32", "--resume", "resnet 1"),
      ]);
      expect(tensorsOf("resnet part")).toEqual(tensorsOf("resnet whole"));
      expect(tensorsOf("resnet 1")["1.running_mean"]).not.toBe(tensorsOf("resnet whole")["1.running_mean"]);
      expect([other.code, other.stderr]).toEqual([
        2,
        "error: cannot resume from resnet 1: its run had model resnet, this one model cnn\n",
      ]);
    },
  );

  it.concurrent("refuses a checkpoint of another run, and what is none", { timeout: 60_000 }, async () => {
    await tiny(...settings, "--epochs", "2", "--checkpoint", "old");
    const other = temporaryFolder();
    const files = tinyFiles();
    files[names.trainImages][99] ^= 1;
    writeFiles(other, files);
    copyFileSync(join(folder, "old"), join(folder, "cut"));
    truncateSync(join(folder, "cut"), 2000);
    writeFileSync(join(folder, "text"), "no checkpoint");
    writeFileSync(join(folder, "foreign"), save(new ParameterDict({ w: [3] })));
    const wrong: [string[], number, RegExp][] = [
      [["--rule", "adam"], 2, /cannot resume from old: its run had rule nadam, this one rule adam/],
      [["--lr", "0.5"], 2, /its run had lr 0.001, this one lr 0.5/],
      [["--betas", "0.5,0.5"], 2, /its run had betas 0.9,0.999, this one betas 0.5,0.5/],
      [["--dialect", "keras"], 2, /its run had eps 1e-8, this one eps 1e-7|momentumDecay|dialect torch/],
      [["--batch", "17"], 2, /its run had batch 16, this one batch 17/],
      [["--hidden", "8"], 2, /its run had hidden 8,8, this one hidden 8/],
      [["--seed", "4"], 2, /its run had seed 3, this one seed 4/],
      [["--ema", "0.9"], 2, /its run had no ema, this one ema 0.9/],
      [["--epochs", "1"], 2, /^error: cannot resume from old: its run has done 2 epochs, more than --epochs 1\n$/],
      [["--data", other], 2, /its run had data with the hash \w+, this one data with the hash \w+/],
      [["--resume", "cut"], 1, /^error: cannot resume from cut: read: the file is (damaged|cut short).*\n$/],
      [["--resume", "text"], 1, /^error: cannot resume from text: read: the file .*\n$/],
      [["--resume", "nowhere"], 1, /^error: cannot read nowhere: ENOENT.*\n$/],
      [["--resume", "."], 1, /^error: cannot read \.: EISDIR.*\n$/],
      [["--resume", "foreign"], 1, /^error: cannot resume from foreign: it is no checkpoint of this command\n$/],
      [["--resume", "foreign", "--lr", "-1", "--data", "nowhere"], 1, /cannot resume from foreign/],
      [["--checkpoint", "nowhere/run"], 1, /cannot write nowhere\/run: there is no folder/],
      [["--checkpoint", "."], 1, /cannot write \.: it is no file/],
      [["--every", "3"], 2, /'--every <n>' goes with '--checkpoint <file>'/],
      [["--checkpoint", "x", "--compare", "sgd,adam"], 2, /cannot be used with option/],
      [["--ema", "2"], 2, /Expected a number from 0 to 1/],
    ];
    for (let i = 0; i < wrong.length; i += 6)
      await Promise.all(
        wrong.slice(i, i + 6).map(async ([args, code, message]) => {
          const rule = args.includes("--compare") ? [] : settings;
          const outcome = await tiny(...rule, "--epochs", "2", "--resume", "old", ...args);
          expect(outcome.stderr, args.join(" ")).toMatch(message);
          expect(outcome.stderr.trim().split("\n").length, args.join(" ")).toBeLessThanOrEqual(2);
          expect(outcome.code, args.join(" ")).toBe(code);
          if (code === 1) expect(outcome.stdout, args.join(" ")).toBe("");
        }),
      );
  });
});
