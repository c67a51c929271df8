// The GPT command: what it prints, writes and refuses; a stopped run that goes on. Small networks, mostly on a short text.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { read, save } from "gradstep/checkpoint";
import { ParameterDict, Random } from "gradstep";
import { Alphabet } from "../../examples/gpt/alphabet.ts";
import { makeModel, makeOptimizer, makeSchedule } from "../../examples/gpt/model.ts";
import { write } from "../../examples/gpt/write.ts";
import { run } from "./command.ts";
import { temporaryFolder } from "./tiny-files.ts";

const folder = temporaryFolder();
const random = new Random(1);
const words = ["call", "me", "the", "whale", "a", "sea,", "sail.\n"];
writeFileSync(join(folder, "text"), Array.from({ length: 400 }, () => words[random.below(words.length)]).join(" "));

const small = "--layers 1 --width 8 --heads 2 --context 8 --batch 4".split(" ");
const gpt = (...args: string[]) => run(folder, args, {}, "gpt");
/** On the short text. */
const tiny = (...args: string[]) => gpt("--text", "text", "--threads", "1", "--length", "12", ...small, ...args);

/** All of a checkpoint but its times. */
function contentsOf(path: string): object {
  const { tensors, metadata } = read(readFileSync(join(folder, path)));
  const bytes = Object.entries(tensors).map(([name, { bytes }]) => [name, Buffer.from(bytes).toString("base64")]);
  return { tensors: Object.fromEntries(bytes) as object, gpt: metadata.gpt, groups: metadata.param_groups };
}
interface Result {
  legs: { step: number; loss: number; validation: number }[];
  losses: number[];
  text: string;
}
/** The result without its times. */
function resultOf(stdout: string): Result {
  const { legs, losses, text } = JSON.parse(stdout) as Result;
  return { legs: legs.map(({ step, loss, validation }) => ({ step, loss, validation })), losses, text };
}

describe("the model", () => {
  it("has PyTorch's parameters, and decays matrices and tables alone", () => {
    const model = makeModel({ layers: 4, width: 128, heads: 4, context: 64 }, 89, { batchSize: 1 });
    const optimizer = makeOptimizer(model, 1e-3);
    const block = 2 * 2 * 128 + (3 * 128 * 129 + 128 * 129) + (512 * 129 + 128 * 513);
    expect(model.params.numel).toBe(2 * 89 * 128 + 64 * 128 + 4 * block + 2 * 128);
    const [decayed, others] = optimizer.paramGroups;
    expect([decayed.weightDecay, others.weightDecay]).toEqual([0.1, 0]);
    expect(decayed.params).toHaveLength(2 + 4 * 4 + 1);
    expect(others.params.filter((name) => !/bias$|^(\d+|\d+\.0)\.weight$/.test(name))).toEqual([]);
    const weights = model.params.data["2.1.in_proj_weight"];
    const deviation = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0) / weights.length);
    expect(deviation).toBeCloseTo(0.02, 3);
    optimizer.dispose();
    model.dispose();
  });

  it("warms up in 100 steps to the highest rate, and comes down to a tenth of it", () => {
    const model = makeModel({ layers: 1, width: 4, heads: 1, context: 4 }, 3, { batchSize: 1 });
    const optimizer = makeOptimizer(model, 1e-3);
    const schedule = makeSchedule(optimizer, 1e-3, 1000);
    const rates = Array.from({ length: 1001 }, () => {
      const [{ lr }, second] = optimizer.paramGroups;
      expect(second.lr).toBe(lr);
      schedule.step();
      return lr;
    });
    expect(rates[0]).toBeCloseTo(1e-5, 12);
    expect([rates.indexOf(Math.max(...rates)), Math.max(...rates)]).toEqual([100, 1e-3]);
    expect(rates[550]).toBeCloseTo(5.5e-4, 12);
    expect(rates[1000]).toBeCloseTo(1e-4, 12);
  });

  it("writes on after a text of any length, and what follows a row's characters does not matter", () => {
    const alphabet = new Alphabet("abc");
    const model = makeModel({ layers: 1, width: 8, heads: 2, context: 4 }, 3, { batchSize: 1 });
    const text = (start: string, temperature: number, seed = 1): string =>
      [...write(model, alphabet, 4, start, { length: 20, temperature, seed })].join("");
    for (const start of ["a", "abca", "bbbbbbbbca"]) expect(text(start, 1)).toMatch(/^[abc]{20}$/);
    expect(text("bbbbbbbbca", 0)).toBe(text("bbbca".slice(-4), 0));
    expect(text("a", 1)).toBe(text("a", 1));
    expect(text("a", 1, 2)).not.toBe(text("a", 1));
    expect(text("ab", 0)).toBe(text("ab", 0, 2));
    model.dispose();
  });
});

describe("training", () => {
  it.concurrent("learns the book, and writes", async () => {
    const { code, stdout, stderr } = await gpt(...small, "--steps", "20", "--every", "10", "--length", "30");
    expect([code, stderr]).toEqual([0, ""]);
    // eslint-disable-next-line no-control-regex -- none may be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(stdout).toContain("1,213,006 characters, 89 different ones");
    const figures = "loss \\d\\.\\d{4}  validation \\d\\.\\d{4}  [\\d,]+ tokens/s";
    expect(stdout).toMatch(new RegExp(`^step 10/20  ${figures}  \\d+ (s|min) left$`, "m"));
    expect(stdout).toMatch(new RegExp(`^step 20/20  ${figures}$`, "m"));
    expect(stdout).toMatch(
      /^validation loss \d\.\d{4} \(accuracy 0\.\d{4}\) on 121,296 characters; trained for \d+ s$/m,
    );
    expect(stdout).toMatch(/\n\nCall me[^]{30}\n$/);
  });

  it.concurrent("learns: the loss falls to that of the words", async () => {
    const { stdout } = await tiny("--json", "--steps", "400", "--lr", "0.01");
    const { legs } = resultOf(stdout);
    expect(legs.map(({ step }) => step)).toEqual([40, 80, 120, 160, 200, 240, 280, 320, 360, 400]);
    expect(legs[0].loss).toBeGreaterThan(2);
    expect(legs[9].validation).toBeLessThan(1.2);
  });

  it.concurrent("a stopped run that goes on, on two threads, has the bits of one that was never stopped", async () => {
    const args = ["--steps", "23", "--every", "5", "--json"];
    const [whole, part] = await Promise.all([
      tiny(...args, "--checkpoint", "whole"),
      tiny(...args, "--checkpoint", "part", "--until", "10"),
    ]);
    expect(resultOf(part.stdout).losses).toEqual(resultOf(whole.stdout).losses.slice(0, 10));
    expect(contentsOf("part")).not.toEqual(contentsOf("whole"));
    const rest = "--resume part --checkpoint part --text text --every 5 --length 12 --json --threads 2".split(" ");
    const { stdout, stderr } = await gpt(...rest);
    expect(stderr).toBe("");
    expect(resultOf(stdout)).toEqual(resultOf(whole.stdout));
    expect(contentsOf("part")).toEqual(contentsOf("whole"));
  });
});

describe("--sample and bad input", () => {
  it("writes on from a checkpoint, and refuses what does not fit in one line", { timeout: 60_000 }, async () => {
    const trained = await tiny("--steps", "2", "--checkpoint", "two", "--json");
    writeFileSync(join(folder, "foreign"), save(new ParameterDict({ w: [3] })));
    writeFileSync(join(folder, "text.txt"), "no checkpoint");
    writeFileSync(join(folder, "short"), "abc");
    const start = resultOf(trained.stdout).text.slice(0, 1);
    const written = await gpt("--sample", start, "--resume", "two", "--length", "12");
    expect([written.code, written.stdout]).toEqual([0, `\n${resultOf(trained.stdout).text}\n`]);

    const wrong: [args: string, code: number, message: RegExp][] = [
      ["--sample call --resume text.txt", 1, /^error: cannot sample from text\.txt: read: /],
      ["--sample Zoé --resume two", 2, /^error: "Z" is not among the \d+ characters of the learned text$/],
      ["--sample call", 2, /^error: --sample wants the model of a checkpoint: --resume <file>$/],
      ["--sample call me --resume two", 2, /too many arguments[^]*texts with spaces stand in quotes/],
      ["--sample call --resume two --temperature -1", 2, /'--temperature <number>' expects a number >= 0/],
      [
        "--resume two --text text --steps 3",
        2,
        /^error: cannot resume from two: its run had steps 2, this one steps 3$/,
      ],
      ["--resume two", 2, /its run had a text with the hash \w+, this one a text with the hash \w+$/],
      ["--resume foreign --text text", 1, /^error: cannot resume from foreign: it is no checkpoint of this command$/],
      ["--text short", 2, /^error: short: its last tenth has 1 characters, fewer than --context 64 and one more$/],
      ["--text text --width 10 --heads 4", 2, /^error: Network: layer \d.*selfAttention/],
      ["--text text --lr -1", 2, /^error: AdamW: "lr" expected/],
      ["--until 9 --steps 8", 2, /^error: --until 9 is more than --steps 8$/],
    ];
    for (let i = 0; i < wrong.length; i += 6)
      await Promise.all(
        wrong.slice(i, i + 6).map(async ([args, code, message]) => {
          const outcome = await gpt("--threads", "1", ...args.split(" "));
          expect(outcome.stderr.trim(), args).toMatch(message);
          expect(outcome.stderr.trim().split("\n").length, args).toBeLessThanOrEqual(2);
          expect([outcome.code, outcome.stdout], args).toEqual([code, ""]);
        }),
      );
  });
});
