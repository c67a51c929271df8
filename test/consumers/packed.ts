import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder outside the project in which the package is installed as it would be published. */
export interface Consumer {
  readonly folder: string;
  readonly tarball: string;
  write(name: string, text: string): string;
  /** Runs Node there; returns what it prints. */
  node(...args: string[]): string;
}

export function install(): Consumer {
  const folder = mkdtempSync(join(tmpdir(), "gradstep-"));
  const run = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const [{ filename }] = JSON.parse(run("npm", "pack", root, "--ignore-scripts", "--json", "--silent")) as {
    filename: string;
  }[];
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "gradstep"), { recursive: true });
  run("tar", "-xzf", filename, "-C", join(modules, "gradstep"), "--strip-components=1");
  mkdirSync(join(modules, "@assemblyscript"));
  symlinkSync(join(root, "node_modules/@assemblyscript/loader"), join(modules, "@assemblyscript/loader"));
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  write("package.json", '{ "name": "consumer", "version": "1.0.0", "private": true, "type": "module" }');
  return { folder, tarball: join(folder, filename), write, node: (...args) => run(process.execPath, ...args).trim() };
}

export const readTarball = ({ tarball }: Consumer): Uint8Array => readFileSync(tarball);

/** A program of every subpath that needs nothing else; it prints a number that has the bits of one AdamW step in it. */
export const program = `
import { AdamW, ParameterDict } from "gradstep";
import { MLP } from "gradstep/nn";
import { StepLR } from "gradstep/schedule";
import { load, save } from "gradstep/checkpoint";
import { instantiate } from "gradstep/kernels";
import { Threads } from "gradstep/threads";

const params = new ParameterDict({ w: [3] });
const optimizer = new AdamW(params, { lr: 0.1 });
const schedule = new StepLR(optimizer, { stepSize: 1, gamma: 0.5 });
optimizer.paramGroups[0].weightDecay = 0.01;
params.grad.w.fill(1);
optimizer.step();
schedule.step();
const bytes = save(params, { optimizers: [optimizer] });
load(bytes, params, { optimizers: [optimizer] });
optimizer.step();
const memory = new WebAssembly.Memory({ initial: 2 });
instantiate(memory).sgd(16, 65536, 65600, 0, 1, 0, 0, 0, 0, 0.1, 0);
const mlp = new MLP([2, 2]);
let refusal = ""; // names the rule, whatever a minifier calls its class
try {
  new AdamW(params);
} catch (error) {
  refusal = String(error);
}
console.log(params.data.w[2], mlp.params.numel, typeof Threads.create, refusal);
`;
export const printed = '-0.14994999766349792 6 function Error: AdamW: "w" belongs to a live AdamW; dispose that first';
