// The text of a network: a table of its layers, and its memory.
import type { Built } from "./build.js";
import { showShape } from "./layers/layer.js";
import { thousands } from "../util/check.js";

/** The table of the layers, then a line about parameters and memory. */
export function summaryOf({ owner, program, inputShape, loss, batchSize, rows, params, blockBytes }: Built): string {
  const table = [["layer", "kind", "output", "parameters"]];
  for (const { path, kind, output, parameters } of program.rows) {
    const depth = path.split(".").length - 1;
    table.push([path, "  ".repeat(depth) + kind, showShape(output), parameters ? thousands(parameters) : ""]);
  }
  const widths = table[0].map((_, k) => Math.max(...table.map((cells) => cells[k].length)));
  const alone = program.spans.reduce((sum, span) => sum + span.bytes, 0);
  return [
    `${owner} ${showShape(inputShape)} → ${showShape(program.output)}, ${loss}, batches of up to ${batchSize}`,
    ...table.map((cells) => {
      const line = cells.map((cell, k) => (k === 3 ? cell.padStart(widths[k]) : cell.padEnd(widths[k])));
      return line.join("  ").trimEnd();
    }),
    `${thousands(params.numel)} parameters take ${inBytes(4 * params.numel)}, their gradients as much`,
    `a batch of ${rows} rows takes ${inBytes(blockBytes)} (${inBytes(alone)} without sharing)`,
  ].join("\n");
}

const inBytes = (bytes: number): string => `${thousands(Math.ceil(bytes / 1024))} KiB`;

/** `toString()` and Node's inspection: the summary, or why there is none; only the name within other objects. */
export function textOf(this: { summary(): string; built: Built }, depth?: unknown): string {
  try {
    return (depth as number) < 0 ? `[${this.built.owner}]` : this.summary();
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
