import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "./command.ts";
import { names, temporaryFolder, tinyFiles, writeFiles } from "./tiny-files.ts";

const folder = temporaryFolder();
writeFiles(folder, tinyFiles());
const tiny = (...args: string[]) => run(folder, ["--data", folder, ...args]);

describe("bad input", () => {
  const damaged = temporaryFolder();
  const blocked = temporaryFolder();
  writeFiles(blocked, { out: new Uint8Array() });
  const usage: [args: string, message: RegExp][] = [
    ["--epoch 2", /unknown option '--epoch'\n\(Did you mean --epochs\?\)/],
    ["--rule adm", /--rule.*'adm'.*one of sgd, momentum, .*nadam, .*rprop/],
    ["--rule", /'--rule <name>' argument missing/],
    ["--epochs 0", /--epochs.*whole number from 1/],
    ["--epochs 1.5", /--epochs.*whole number/],
    ["--batch -4", /--batch.*whole number/],
    ["--seed x", /--seed.*whole number from 0/],
    ["--lr fast", /--lr.*Expected a number/],
    ["--lr -1", /Adam: "lr" expected a finite number >= 0, got -1/],
    ["--betas 0.9", /--betas.*two numbers with a comma/],
    ["--betas 1.5,0.9", /Adam: "betas\[0\]" expected a number in \[0, 1\), got 1\.5/],
    ["--rule sgd --betas 0.9,0.99", /--betas is for adam, adamw, nadam, .*schedulefreeadamw; sgd has none/],
    ["--compare sgd,adagrad --betas 0.9,0.99", /sgd, adagrad have none/],
    ["--dialect tf", /--dialect.*one of torch, keras/],
    ["--hidden 16,", /--hidden.*whole number from 1/],
    ["--model cnnn", /--model.*'cnnn'.*one of mlp, cnn, resnet; did you mean "cnn"\?/],
    ["--model cnn --hidden 8", /'--hidden <widths>' goes with '--model mlp'/],
    ["--hidden 65536,65536", /MLP: .* bytes/],
    ["sgd", /too many arguments[^]*npm start -- --compare sgd,adam/],
    ["--compare sgd,sgd", /"sgd" is there twice/],
    ["--compare sgd,,adam", /"" is none of sgd/],
    ["--compare adam --rule sgd", /cannot be used with option '--rule/],
    ["--compare lion --dialect keras --betas 2,0.9", /Lion: "betas\[0\]" expected/],
    ["--experiment alphas", /Expected betas/],
    ["--experiment betas --lr 1", /cannot be used with option '--lr/],
    ["--seeds 3", /goes with '--experiment betas'/],
  ];
  it.concurrent.each(usage)("%s: exit code 2", async (args, message) => {
    const { code, stderr } = await tiny(...args.split(" "));
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n").length, stderr).toBeLessThanOrEqual(2);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(code).toBe(2);
  });

  it.concurrent("options that npm kept, since -- was missing: exit code 2", async () => {
    const kept = { npm_lifecycle_event: "start", npm_config_epochs: "1" };
    const { code, stderr } = await run(folder, ["--data", folder], kept);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^error: npm kept --epochs .* npm start -- --rule sgd\n$/),
    ]);
  });

  it.concurrent("a chart that cannot be written: exit code 1", async () => {
    const { code, stderr } = await run(blocked, ["--data", folder, "--compare", "sgd"]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: cannot write out.compare\.svg: .*\n$/)]);
  });

  it.concurrent("a missing or damaged file: exit code 1, and nothing on stdout with --json", async () => {
    writeFiles(damaged, { ...tinyFiles(), [names.testImages]: tinyFiles()[names.testImages].subarray(0, 99) });
    for (const [data, message] of [
      [join(folder, "nowhere"), /^error: there is no folder \S+\n$/],
      [damaged, /^error: \S+t10k-images-idx3-ubyte is cut short: .*\n$/],
    ] as const) {
      const { code, stdout, stderr } = await run(folder, ["--json", "--data", data]);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(message);
    }
  });
  it.concurrent("--help: every option, on stdout, exit code 0", async () => {
    const { code, stdout } = await tiny("--help");
    expect(code).toBe(0);
    const options = "rule epochs batch lr betas dialect model hidden seed data json compare experiment seeds help";
    for (const option of options.split(" ")) expect(stdout).toContain(`--${option}`);
  });
});
