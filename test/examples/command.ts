import { execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const main = fileURLToPath(new URL("../../examples/mnist/main.ts", import.meta.url));

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Of the command: the program and its first arguments. */
export const command = [process.execPath, "--import", import.meta.resolve("tsx"), main];

/** Runs the command as a process of its own, in `cwd`. */
export function run(cwd: string, args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const [file, ...words] = [...command, ...args];
  return new Promise((settle) => {
    execFile(file, words, { cwd, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      settle({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}

/** Runs the command in a pseudo-terminal; presses Ctrl-C once it has printed `interruptAt`. */
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

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "gradstep-mnist-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Bytes of an IDX file. */
export function idx(dimensions: readonly number[], data: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.writeUInt32BE(0x0800 + dimensions.length);
  dimensions.forEach((size, i) => header.writeUInt32BE(size, 4 + 4 * i));
  return Buffer.concat([header, data]);
}

export const names = {
  trainImages: "train-images-idx3-ubyte",
  trainLabels: "train-labels-idx1-ubyte",
  testImages: "t10k-images-idx3-ubyte",
  testLabels: "t10k-labels-idx1-ubyte",
} as const;

export const [rows, columns, classes] = [6, 4, 3];

/** Labels and images of one class a pair of rows: bright rows on a dark, unsteady ground. */
function samples(count: number, first: number): { images: Uint8Array; labels: Uint8Array } {
  const labels = Uint8Array.from({ length: count }, (_, i) => ((first + i) * 7) % classes);
  const images = Uint8Array.from({ length: count * rows * columns }, (_, at) => {
    const sample = Math.floor(at / (rows * columns));
    const row = Math.floor(at / columns) % rows;
    const noise = ((first * 31 + at) * 7919) % 97;
    return Math.floor(row / 2) === labels[sample] ? 140 + noise : noise;
  });
  return { images, labels };
}

/** The four files of a data set that is learnt in a moment: 130 images to train with, 30 to test. */
export function tinyFiles(): Record<string, Uint8Array> {
  const [train, test] = [samples(130, 0), samples(30, 1000)];
  return {
    [names.trainImages]: idx([130, rows, columns], train.images),
    [names.trainLabels]: idx([130], train.labels),
    [names.testImages]: idx([30, rows, columns], test.images),
    [names.testLabels]: idx([30], test.labels),
  };
}

export function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array>>): void {
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
}
