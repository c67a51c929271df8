import type { Start } from "./messages.ts";
import { FIELD } from "./spirals.ts";

/** Of the two classes, as red, green and blue: seen on white and on black. */
const colours = [
  [47, 111, 222],
  [222, 104, 24],
] as const;

/** The points, over what the network takes each place for: the surer, the stronger the colour. */
export class Picture {
  points: Start | undefined;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #field = new OffscreenCanvas(FIELD, FIELD);

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d")!;
  }

  draw(sure: Float32Array): void {
    const image = new ImageData(FIELD, FIELD);
    sure.forEach((value, i) => image.data.set([...colours[value < 0 ? 0 : 1], Math.abs(value) * 110], 4 * i));
    this.#field.getContext("2d")!.putImageData(image, 0, 0);

    const { width } = this.#canvas;
    this.#context.clearRect(0, 0, width, width);
    this.#context.drawImage(this.#field, 0, 0, width, width);
    this.points?.y.forEach((label, i) => {
      const [x, y] = this.points!.x.subarray(2 * i, 2 * i + 2).map((v) => ((v + 1) / 2) * width);
      this.#context.beginPath();
      this.#context.arc(x, y, width / 100, 0, 2 * Math.PI);
      this.#context.fillStyle = `rgb(${colours[label].join(" ")})`;
      this.#context.fill();
    });
  }
}
