// npm run bench:regress: this checkout in turns with the last tag, or with the commit or folder that is given: new ÷ old.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import Table from "cli-table3";
import { Command } from "commander";
import * as here from "gradstep";
import { list, whole } from "./choices.js";
import { type Library, contests, layoutName, layouts, model, sum } from "./contests.js";
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
  .option("--rounds <n>", "turns", whole, 15)
  .parse();
const { rule, sizes, rounds } = program.opts<{ rule: string[]; sizes: string[]; rounds: number }>();

/** The other library, built; `remove` takes away what was made for it. */
async function other(from: string): Promise<{ library: Library; remove: () => void }> {
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

const load = async (folder: string): Promise<Library> =>
  (await import(pathToFileURL(resolve(folder, "dist/index.js")).href)) as Library;

const { library: old, remove } = await other(program.args.at(0) ?? lastTag());
try {
  const table = new Table({
    head: ["rule", "elements", "new ns", "old ns", "new ÷ old", "quartiles", ""],
    style: { head: [], border: [] },
  });
  for (const contest of contests.filter(({ name }) => rule.includes(name)))
    for (const size of sizes) {
      const lengths = layouts[size];
      const elements = sum(lengths);
      const optimizers = [here, old].map((library) => contest.make(library, model(library, lengths)));
      const calls = Math.max(1, Math.round(1e6 / elements));
      const [ours, theirs] = inTurns(
        optimizers.map((optimizer) => ({ run: () => void optimizer.step(), calls })),
        rounds,
      );
      const ratios = ours.map((x, i) => x / theirs[i]).sort((a, b) => a - b);
      const [low, high] = [ratios[ratios.length >> 2], ratios[ratios.length - 1 - (ratios.length >> 2)]];
      const ns = (times: number[]): string => ((median(times) / elements) * 1e9).toFixed(2);
      const verdict = low > 1.03 ? "slower" : high < 0.97 ? "faster" : "";
      table.push([
        contest.name,
        layoutName(lengths),
        ns(ours),
        ns(theirs),
        ratio(ours, theirs).toFixed(3),
        `${low.toFixed(3)} to ${high.toFixed(3)}`,
        verdict,
      ]);
    }
  console.log(table.toString());
  console.log("by pairs of turns; slower or faster where three quarters of them are so by more than 3 %");
} finally {
  remove();
}
