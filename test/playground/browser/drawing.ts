// A digit of the test set as the strokes that a person would need to draw it.
import { mnistDirectory, readDataset } from "../../../examples/mnist/idx.ts";
import type { Point, Stroke } from "./page.ts";

const SIDE = 28;
const BRIGHT = 128;
/** The part of the pad that a digit fills, and the radius of the page's pen. */
const FILLED = 0.8;
const RADIUS = 11 / 280;

export interface Sample {
  readonly label: number;
  readonly strokes: readonly Stroke[];
}

/** The first images of the test set; points go from 0 to 1 across and down the pad. */
export function firstSamples(count: number): Sample[] {
  const { images, labels } = readDataset(mnistDirectory()).test;
  return Array.from({ length: count }, (_, i) => ({
    label: labels[i],
    strokes: strokesOf(images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE)),
  }));
}

interface Run {
  readonly row: number;
  readonly from: number;
  /** One past the last pixel. */
  readonly to: number;
}

/** A stroke a run of bright pixels in a row, so much shorter that the pen's round ends end with the run. */
function strokesOf(image: Uint8Array): Stroke[] {
  const runs = Array.from({ length: SIDE }, (_, row) =>
    runsOf(image.subarray(row * SIDE, (row + 1) * SIDE), row),
  ).flat();
  const [left, right] = [Math.min(...runs.map(({ from }) => from)), Math.max(...runs.map(({ to }) => to))];
  const [top, bottom] = [runs[0].row, runs[runs.length - 1].row + 1];
  const scale = FILLED / Math.max(right - left, bottom - top);
  const x = (pixels: number): number => 0.5 + (pixels - (left + right) / 2) * scale;
  const y = (pixels: number): number => 0.5 + (pixels - (top + bottom) / 2) * scale;
  return runs.map(({ row, from, to }) => {
    const middle = y(row + 0.5);
    const [start, end] = [x(from) + RADIUS, x(to) - RADIUS];
    const points: Point[] =
      start < end
        ? [
            [start, middle],
            [end, middle],
          ]
        : [[x((from + to) / 2), middle]];
    return points;
  });
}

function runsOf(pixels: Uint8Array, row: number): Run[] {
  const runs: Run[] = [];
  for (let from = 0; from < SIDE; from++) {
    if (pixels[from] < BRIGHT) continue;
    let to = from;
    while (to < SIDE && pixels[to] >= BRIGHT) to++;
    runs.push({ row, from, to });
    from = to;
  }
  return runs;
}
