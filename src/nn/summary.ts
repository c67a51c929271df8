// The text of a network: a table of its layers, and its memory.
import type { Built } from "./build.js";
import { showShape, sizeOf } from "./layers/layer.js";

/** The table of the layers, then a line about parameters and memory. */
export function summaryOf({ owner, program, inputShape, loss, batchSize, rows, params, blockBytes }: Built): string {
  const head = ["layer", "kind", "output", "parameters"];
  const body = program.rows.map(({ path, kind, output, parameters }) => [
    path,
    `${"  ".repeat(path.split(".").length - 1)}${kind}`,
    showShape(output),
    parameters === 0 ? "" : inThousands(parameters),
  ]);
  const widths = head.map((_, k) => Math.max(...[head, ...body].map((cells) => cells[k].length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, k) => (k === 3 ? cell.padStart(widths[k]) : cell.padEnd(widths[k]))).join("  ");
  const parameters = program.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const alone = program.spans.reduce((sum, span) => sum + span.bytes, 0);
  return [
    `${owner} ${showShape(inputShape)} → ${showShape(program.output)}, ${loss}, batches of up to ${batchSize}`,
    ...[head, ...body].map((cells) => line(cells).trimEnd()),
    `${inThousands(parameters)} parameters take ${inBytes(4 * params.numel)}, their gradients as much`,
    `a batch of ${rows} rows takes ${inBytes(blockBytes)} (${inBytes(alone)} without sharing)`,
  ].join("\n");
}

const inThousands = (count: number): string => count.toLocaleString("en");

function inBytes(bytes: number): string {
  const [size, unit] = bytes < 2 ** 20 ? [bytes / 1024, "KiB"] : [bytes / 2 ** 20, "MiB"];
  return `${size.toFixed(size < 100 ? 1 : 0)} ${unit}`;
}

/** The summary, or why there is none. */
export function textOf(network: { summary(): string }): string {
  try {
    return network.summary();
  } catch (error) {
    return `[${(error as Error).message}]`;
  }
}

/** What a network is, without its parameters. */
export const jsonOf = ({ owner, inputShape, loss, program }: Built): object => ({
  network: owner,
  inputShape,
  loss,
  layers: program.rows,
});
