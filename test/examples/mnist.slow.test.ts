import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as gradstep from "gradstep";
import { ruleNames } from "../../examples/mnist/all-rules.ts";
import { run, runOnTerminal } from "./command.ts";
import { temporaryFolder, tinyFiles, writeFiles } from "./tiny-files.ts";

const folder = temporaryFolder();
writeFiles(folder, tinyFiles());
const tiny = (...args: string[]) => run(folder, ["--data", folder, ...args]);

const [HIDE, SHOW] = ["\u001b[?25l", "\u001b[?25h"];

interface Result {
  options: Record<string, unknown>;
  epochs: { epoch: number; loss: number; accuracy: number; samplesPerSecond: number }[];
  testAccuracy: number;
}
const parse = (stdout: string): Result => JSON.parse(stdout) as Result;

describe("training", () => {
  it.concurrent("prints lines without control characters and ends with the accuracy", async () => {
    const { code, stdout, stderr } = await tiny("--epochs", "12", "--batch", "16", "--lr", "0.01");
    expect([code, stderr]).toEqual([0, ""]);
    // eslint-disable-next-line no-control-regex -- none may be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(
      stdout.match(/^epoch \d+\/12 {2}loss \d+\.\d{4} {2}accuracy [01]\.\d{4} {2}[\d,]+ samples\/s$/gm),
    ).toHaveLength(12);
    expect(stdout).toMatch(/\ntest accuracy 1\.0000\n$/);
  });

  it.concurrent("prints one JSON object with the options in use, and learns", async () => {
    const args = ["--rule", "AdamW", "--betas", "0.8, 0.99", "--hidden", "16,8", "--batch", "1000", "--epochs", "30"];
    const { code, stdout, stderr } = await tiny("--json", "--lr", "2e-2", "--dialect", "keras", "--seed", "9", ...args);
    expect([code, stderr]).toEqual([0, ""]);
    const { options, epochs, testAccuracy } = parse(stdout);
    expect(options).toEqual({
      ...{ rule: "adamw", lr: 0.02, betas: [0.8, 0.99], dialect: "keras", hidden: [16, 8], init: "torch" },
      ...{ batch: 1000, epochs: 30, seed: 9, data: folder },
    });
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    for (const { samplesPerSecond } of epochs) expect(samplesPerSecond).toBeGreaterThan(0);
    expect(epochs[29].loss).toBeLessThan(0.2 * epochs[0].loss);
    expect(epochs[29].accuracy).toBe(testAccuracy);
    expect(testAccuracy).toBeGreaterThan(0.95);
  });

  it.concurrent("gives the same figures for the same seed, others for another", async () => {
    const seeds = ["7", "7", "8"];
    const outcomes = await Promise.all(seeds.map((seed) => tiny("--json", "--seed", seed, "--epochs", "2")));
    const [first, again, other] = outcomes.map(({ stdout }) => parse(stdout).epochs.map(({ loss }) => loss));
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it.concurrent("trains with every image, the short last batch too", async () => {
    const outcomes = await Promise.all(
      ["1", "37", "64", "130"].map((batch) => tiny("--json", "--epochs", "1", "--lr", "0", "--batch", batch)),
    );
    const losses = outcomes.map(({ stdout }) => parse(stdout).epochs[0].loss);
    for (const loss of losses) expect(loss, "with lr 0 the mean of all samples").toBeCloseTo(losses[0], 6);
  });

  it.concurrent.each(["cnn", "resnet"])("learns with --model %s", async (model) => {
    const { code, stdout, stderr } = await tiny(
      "--json",
      "--model",
      model,
      "--lr",
      "0.01",
      "--epochs",
      "8",
      "--batch",
      "10",
    );
    expect([code, stderr]).toEqual([0, ""]);
    const { options, epochs, testAccuracy } = parse(stdout);
    expect(options).toMatchObject({ rule: "adam", lr: 0.01, model, init: "torch", batch: 10, seed: 1 });
    expect(options).not.toHaveProperty("hidden");
    expect(options.schedule).toBe(model === "resnet" ? "cosine" : undefined);
    expect(epochs[7].loss).toBeLessThan(0.5 * epochs[0].loss);
    expect(testAccuracy).toBeGreaterThan(0.9);
  });

  it.concurrent("shows a run that diverges, as null in JSON", async () => {
    const args = ["--rule", "sgd", "--lr", "1e38", "--epochs", "2"];
    const [lines, json] = await Promise.all([tiny(...args), tiny("--json", ...args)]);
    expect(lines.stdout).toMatch(/epoch 2\/2 {2}loss NaN[^]*\ntest accuracy 0\.\d{4}\n$/);
    expect(parse(json.stdout).epochs[1].loss).toBeNull();
    expect([lines.code, json.code]).toEqual([0, 0]);
  });

  it.concurrent("learns the real digits: over 0.935 after one epoch", { timeout: 60_000 }, async () => {
    const { stdout } = await run(folder, ["--json", "--epochs", "1"]);
    expect(parse(stdout).testAccuracy).toBeGreaterThan(0.935);
  });
});

/** `script` of util-linux runs a command in a pseudo-terminal. */
describe.skipIf(process.platform !== "linux" || spawnSync("script", ["--version"]).status !== 0)(
  "on a terminal",
  () => {
    it.concurrent("shows a bar, then the accuracy, and leaves the cursor as it was", async () => {
      const { code, output } = await runOnTerminal(folder, ["--data", folder, "--epochs", "2"]);
      expect(output).toMatch(/epoch 1\/2 █{8,} 100% {2}loss \d\.\d{4} {2}accuracy [01]\.\d{4} {2}[\d,]+ samples\/s/);
      expect(output).toMatch(/\r\ntest accuracy [01]\.\d{4}\r\n$/);
      // eslint-disable-next-line no-control-regex -- each drawing ends with an escape sequence
      const widths = output.match(/epoch [^\u001b]*/g)?.map((drawing) => drawing.length) ?? [];
      expect(Math.max(...widths), "to clear the rest of a full line takes its last character").toBe(79);
      expect(output.lastIndexOf(SHOW)).toBeGreaterThan(output.lastIndexOf(HIDE));
      expect(code).toBe(0);
    });

    it.concurrent("gives the cursor back on Ctrl-C", async () => {
      const { code, output } = await runOnTerminal(folder, ["--data", folder, "--epochs", "10000"], "epoch 1/");
      expect(output).toContain(HIDE);
      expect(output.lastIndexOf(SHOW)).toBeGreaterThan(output.lastIndexOf(HIDE));
      expect(output).not.toContain("test accuracy");
      expect(code).toBe(130);
    });
  },
);

describe("--compare", () => {
  it("trains each rule from the same start, prints a table and draws a chart", async () => {
    const rules = ["sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "adamw", "nadam"];
    const { code, stdout, stderr } = await tiny("--compare", rules.join(","), "--epochs", "2", "--batch", "200");
    expect([code, stderr]).toEqual([0, ""]);
    const losses = [...stdout.matchAll(/^\S+ +epoch 1\/2 {2}loss (\S+)/gm)].map(([, loss]) => loss);
    expect(losses).toHaveLength(rules.length);
    expect(new Set(losses).size, "one batch an epoch: the first loss is that of the start").toBe(1);
    for (const rule of rules) expect(stdout).toMatch(new RegExp(`│ ${rule} +│ +[\\d.]+ │ +[\\d.]+ │ +[01]\\.\\d{4} │`));
    const path = /^chart: (\S+)$/m.exec(stdout)?.[1] ?? "";
    const svg = readFileSync(join(folder, path), "utf8");
    expect(path).toBe(join("out", "compare.svg"));
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).not.toMatch(/NaN|undefined/);
    for (const text of [...rules, "epochs", "Training loss by update rule"]) expect(svg).toContain(text);
    expect(svg.match(/<path fill="none" stroke=|<path stroke=/g)?.length ?? 0).toBeGreaterThanOrEqual(rules.length);
  });

  it("takes every rule of gradstep", { timeout: 60_000 }, async () => {
    const made = Object.values(gradstep).filter(
      (value): value is typeof gradstep.Adam =>
        typeof value === "function" &&
        value.prototype instanceof gradstep.Optimizer &&
        value !== gradstep.StepOptimizer,
    );
    const others = ["momentum", "nesterov"];
    expect(ruleNames.filter((name) => !others.includes(name)).sort()).toEqual(
      made.map(({ name }) => name.toLowerCase()).sort(),
    );
    const { code, stdout, stderr } = await tiny(
      "--json",
      "--compare",
      ruleNames.join(","),
      "--epochs",
      "3",
      "--batch",
      "20",
    );
    expect([code, stderr]).toEqual([0, ""]);
    const { results } = JSON.parse(stdout) as { results: { rule: string; epochs: { loss: number }[] }[] };
    expect(results.map(({ rule }) => rule)).toEqual(ruleNames);
    for (const { rule, epochs } of results) expect(epochs[2].loss, rule).toBeLessThan(epochs[0].loss);
  });

  it("trains another model: matrices with Muon, all else with AdamW", async () => {
    const { code, stdout, stderr } = await tiny("--compare", "muon,sgd", "--model", "resnet", "--epochs", "2");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^resnet on 6 x 4 pixels, .* 130 \+ 30 images, batch 64, seed 1\n/);
    expect(stdout.match(/epoch 2\/2 {2}loss \d\.\d{4}/g)).toHaveLength(2);
  });

  it("says in the legend which rule diverged, and keeps to JSON when asked", async () => {
    const { code, stdout } = await tiny("--json", "--compare", "sgd,adam", "--betas", "0.5,0.5", "--lr", "1e38");
    const { results, chart } = JSON.parse(stdout) as { results: { rule: string; betas?: number[] }[]; chart: string };
    expect(code).toBe(0);
    expect(results.map(({ rule, betas }) => [rule, betas])).toEqual([
      ["sgd", undefined],
      ["adam", [0.5, 0.5]],
    ]);
    const svg = readFileSync(join(folder, chart), "utf8");
    expect(svg).toContain("sgd (diverged)");
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});

describe("--experiment betas", () => {
  it("takes another model", async () => {
    const { code, stdout } = await tiny("--experiment", "betas", "--model", "cnn", "--seeds", "1", "--epochs", "1");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^cnn on 6 x 4 pixels, 2 convolutions .* batch 32, seed 1\n/);
  });

  it("prints both pairs, a sentence that fits the figures, and draws two charts", async () => {
    rmSync(join(folder, "out"), { recursive: true, force: true });
    const { code, stdout, stderr } = await tiny("--experiment", "betas", "--seeds", "2", "--epochs", "2");
    expect([code, stderr]).toEqual([0, ""]);
    const rows = [...stdout.matchAll(/│ (0\.\d, [\d.]+) +│ 2 +│ ([\d.]+) ± [\d.]+ │ [^│]+│ ([\d.]+) ± /g)];
    expect(rows.map(([, betas]) => betas)).toEqual(["0.9, 0.999", "0.1, 0.1"]);
    const [[, , a, lossA], [, , b, lossB]] = rows;
    const points = Math.abs(Number(a) - Number(b)) * 100;
    const relation = a === b ? "equal to" : `${points.toFixed(2)} points ${a > b ? "above" : "below"}`;
    expect(stdout).toContain(`Seen: with betas 0.9, 0.999 the test accuracy is ${a}, ${relation} the ${b} with betas`);
    expect(stdout).toMatch(
      new RegExp(`loss ${lossA}, [\\d.]+ times as ${lossA > lossB ? "high" : "low"} as the ${lossB} `),
    );
    for (const name of ["betas-loss.svg", "betas-accuracy.svg"]) {
      expect(existsSync(join(folder, "out", name))).toBe(true);
      expect(readFileSync(join(folder, "out", name), "utf8")).not.toMatch(/NaN|undefined/);
    }
  });
});
