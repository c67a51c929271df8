// Runs a command of examples/ in a process of its own, with or without a terminal.
import { execFile, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The program that runs a command, and its first arguments. */
export const commandOf = (name: string): string[] => {
  const main = fileURLToPath(new URL(`../../examples/${name}/main.ts`, import.meta.url));
  return [process.execPath, "--import", import.meta.resolve("tsx"), main];
};

/** The MNIST command. */
export const command = commandOf("mnist");

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command, by default that of MNIST, as a process of its own, in `cwd`. */
export function run(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
  name = "mnist",
): Promise<Outcome> {
  const [file, ...words] = [...commandOf(name), ...args];
  return new Promise((settle) => {
    execFile(file, words, { cwd, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      settle({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}

/** Runs the MNIST command in a pseudo-terminal; presses Ctrl-C once it has printed `interruptAt`. */
export function runOnTerminal(
  cwd: string,
  args: readonly string[],
  interruptAt?: string,
): Promise<{ code: number | null; output: string }> {
  const line = ["stty cols 80;", "exec", ...[...command, ...args].map((word) => `'${word}'`)].join(" ");
  const child = spawn("script", ["-qec", line, "/dev/null"], { cwd });
  let output = "";
  let pressed = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (interruptAt === undefined || pressed || !output.includes(interruptAt)) return;
    pressed = true;
    child.stdin.write("\u0003");
  });
  return new Promise((settle) => child.on("close", (code) => settle({ code, output })));
}
