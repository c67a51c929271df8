// npm run bench:regress: this checkout in turns with the last tag, or with the commit or folder that is given: new ÷ old.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import Table from "cli-table3";
import { Command } from "commander";
import * as core from "gradstep";
import { MLP } from "gradstep/nn";
import { list, whole } from "./choices.js";
import { type Library, contests, layoutName, layouts, model, sum } from "./contests.js";
import { type NetworkLibrary, bytes, evaluation, training } from "./mlp.js";
import { inTurns, median, ratio } from "./turns.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = new Command("bench:regress")
  .description("Takes each rule in turns with that of another checkout: a commit of this one, or a folder.")
  .argument("[other]", "a commit, or the folder of a checkout that is built; default: the last tag")
  .addOption(
    list(
      "--rule <names>",
      "rules",
      contests.map(({ name }) => name),
      ["SGD", "momentum", "RMSprop", "AdamW", "NAdam", "Lion"],
    ),
  )
  .addOption(list("--sizes <layouts>", "numbers of elements, or tensors x elements", Object.keys(layouts), ["16384"]))
  .option("--no-mlp", "leave the MLP out")
  .option("--rounds <n>", "turns", whole, 15)
  .parse();
const { rule, sizes, mlp, rounds } = program.opts<{ rule: string[]; sizes: string[]; mlp: boolean; rounds: number }>();

type Everything = Library & NetworkLibrary;
const here: Everything = { ...core, MLP };

/** The other library, built; `remove` takes away what was made for it. */
async function other(from: string): Promise<{ library: Everything; remove: () => void }> {
  if (existsSync(join(from, "dist/index.js"))) return { library: await load(from), remove: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), "gradstep-regress-"));
  const run = (command: string, ...args: string[]): unknown =>
    execFileSync(command, args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  const remove = (): void => {
    execFileSync("git", ["worktree", "remove", "--force", folder], { cwd: root });
    rmSync(folder, { recursive: true, force: true });
  };
  execFileSync("git", ["worktree", "add", "--detach", folder, from], { cwd: root, stdio: "ignore" });
  try {
    run("npm", "ci", "--silent");
    run("npm", "run", "--silent", "build");
    return { library: await load(folder), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function lastTag(): string {
  try {
    return execFileSync("git", ["describe", "--tags", "--abbrev=0"], { cwd: root, stdio: "pipe" }).toString().trim();
  } catch {
    return program.error("There is no tag here to compare with: name a commit, as in npm run bench:regress -- main");
  }
}

async function load(folder: string): Promise<Everything> {
  const part = async (path: string): Promise<object> =>
    (await import(pathToFileURL(resolve(folder, path)).href)) as object;
  return { ...(await part("dist/index.js")), ...(await part("dist/nn/index.js")) } as Everything;
}

const table = new Table({
  head: ["", "elements", "new ns", "old ns", "new ÷ old", "quartiles", "of the best", ""],
  style: { head: [], border: [] },
});

/** Takes both in turns and adds a row, with nanoseconds for each of a call's `elements`. */
function compare(name: string, size: string, runs: (() => void)[], calls: number, elements: number): void {
  const [ours, theirs] = inTurns(
    runs.map((run) => ({ run, calls })),
    rounds,
  );
  const ratios = ours.map((x, i) => x / theirs[i]).sort((a, b) => a - b);
  const [low, high] = [ratios[ratios.length >> 2], ratios[ratios.length - 1 - (ratios.length >> 2)]];
  const ns = (times: number[]): string => ((median(times) / elements) * 1e9).toFixed(elements > 1 ? 2 : 0);
  table.push([
    name,
    size,
    ns(ours),
    ns(theirs),
    ratio(ours, theirs).toFixed(3),
    `${low.toFixed(3)} to ${high.toFixed(3)}`,
    (Math.min(...ours) / Math.min(...theirs)).toFixed(3),
    low > 1.03 ? "slower" : high < 0.97 ? "faster" : "",
  ]);
}

/** 784-128-10, in batches of 64. */
const networks: Record<string, (library: NetworkLibrary) => () => void> = {
  "MLP, a batch": (library) => training(library),
  "MLP, a batch of bytes": (library) => training(library, {}, bytes),
  "MLP, evaluate": evaluation,
};

const { library: old, remove } = await other(program.args.at(0) ?? lastTag());
try {
  for (const contest of contests.filter(({ name }) => rule.includes(name)))
    for (const size of sizes) {
      const lengths = layouts[size];
      const elements = sum(lengths);
      const optimizers = [here, old].map((library) => contest.make(library, model(library, lengths)));
      const calls = Math.max(1, Math.round(1e6 / elements));
      const runs = optimizers.map((optimizer) => () => void optimizer.step());
      compare(contest.name, layoutName(lengths), runs, calls, elements);
    }
  for (const [name, make] of Object.entries(mlp ? networks : {})) compare(name, "", [here, old].map(make), 1, 1);
  console.log(table.toString());
  console.log("ns an element, or a call of the MLP; new ÷ old by pairs of turns, and of the best turn of each");
  console.log("slower or faster where three quarters of the pairs are so by more than 3 %");
} finally {
  remove();
}
