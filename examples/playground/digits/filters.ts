import { byId } from "../page/dom.ts";

/** Pixels of a filter's side, and between two filters. */
const [SIDE, GAP] = [3, 1];
const GREY = 128;

/** The filters of the first convolution, one beside the other: white weighs a pixel up, black down, grey not at all. */
export class Filters {
  readonly #figure = byId("filters", HTMLElement);
  readonly #canvas = byId("filter-tiles", HTMLCanvasElement);

  /** Hides the figure where there are none. */
  show(weights: Float32Array | undefined): void {
    this.#figure.hidden = weights === undefined;
    if (weights === undefined) return;
    const count = weights.length / SIDE ** 2;
    const width = count * (SIDE + GAP) - GAP;
    const image = new ImageData(width, SIDE);
    const most = Math.max(...weights.map(Math.abs));
    weights.forEach((weight, i) => {
      const [filter, row, column] = [Math.floor(i / SIDE ** 2), Math.floor(i / SIDE) % SIDE, i % SIDE];
      const at = 4 * (row * width + filter * (SIDE + GAP) + column);
      image.data.fill(GREY + (GREY - 1) * (most > 0 ? weight / most : 0), at, at + 3);
      image.data[at + 3] = 255;
    });
    this.#canvas.width = width;
    this.#canvas.height = SIDE;
    this.#canvas.getContext("2d")?.putImageData(image, 0, 0);
  }
}
