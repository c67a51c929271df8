import { byId, contextOf } from "../page/dom.ts";
import { type Drawing, normalise } from "./normalise.ts";

/** Of the pen, where the pad is 280 wide: a digit that fills the pad gets strokes as thick as MNIST's. */
const PEN = 22;
const SIDE = 28;

/** Where a person draws a digit, white on black as in MNIST, and what the network is shown of it. */
export class Pad {
  readonly #pad = byId("pad", HTMLCanvasElement);
  readonly #context = contextOf(this.#pad, { willReadFrequently: true });
  readonly #hint = byId("pad-hint", HTMLElement);
  readonly #seen = contextOf(byId("seen", HTMLCanvasElement));
  readonly #onChange: (image: Float32Array | undefined) => void;
  #last: { x: number; y: number } | undefined;
  #scheduled = false;

  /** `onChange` gets the image for the network, or nothing when the pad is empty. */
  constructor(onChange: (image: Float32Array | undefined) => void) {
    this.#onChange = onChange;
    this.#pad.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.#pad.setPointerCapture(event.pointerId);
      this.#last = this.#place(event);
      this.#lineTo(this.#last);
      event.preventDefault();
    });
    this.#pad.addEventListener("pointermove", (event) => {
      if (this.#last === undefined) return;
      // Safari before 18.2 lacks getCoalescedEvents
      const events = "getCoalescedEvents" in event ? event.getCoalescedEvents() : [];
      for (const part of events.length > 0 ? events : [event]) this.#lineTo(this.#place(part));
    });
    for (const end of ["pointerup", "pointercancel"]) this.#pad.addEventListener(end, () => (this.#last = undefined));
  }

  clear(): void {
    this.#context.clearRect(0, 0, this.#pad.width, this.#pad.height);
    this.#hint.hidden = false;
    this.#changed();
  }

  /** Puts a 28×28 image on the pad, as if drawn. */
  show(image: Float32Array): void {
    const small = document.createElement("canvas");
    small.width = small.height = SIDE;
    paint(contextOf(small), image, (pixel) => [255, 255, 255, pixel * 255]);
    const { width, height } = this.#pad;
    this.#context.clearRect(0, 0, width, height);
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(small, 0, 0, width, height);
    this.#hint.hidden = true;
    this.#changed();
  }

  #place({ clientX, clientY }: MouseEvent): { x: number; y: number } {
    const { left, top, width, height } = this.#pad.getBoundingClientRect();
    return { x: ((clientX - left) / width) * this.#pad.width, y: ((clientY - top) / height) * this.#pad.height };
  }

  #lineTo(to: { x: number; y: number }): void {
    const from = this.#last ?? to;
    const context = this.#context;
    context.beginPath();
    if (from.x === to.x && from.y === to.y) {
      // a dot: WebKit draws nothing for a line without length
      context.arc(to.x, to.y, PEN / 2, 0, 2 * Math.PI);
      context.fillStyle = "white";
      context.fill();
    } else {
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
      context.lineWidth = PEN;
      context.lineCap = context.lineJoin = "round";
      context.strokeStyle = "white";
      context.stroke();
    }
    this.#last = to;
    this.#hint.hidden = true;
    this.#changed();
  }

  /** Reads the pad, at most once a frame. */
  #changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      const image = normalise(this.#read());
      paint(this.#seen, image ?? new Float32Array(SIDE * SIDE), (pixel) => [
        pixel * 255,
        pixel * 255,
        pixel * 255,
        255,
      ]);
      this.#onChange(image);
    });
  }

  #read(): Drawing {
    const { width, height } = this.#pad;
    const { data } = this.#context.getImageData(0, 0, width, height);
    return { ink: Float32Array.from({ length: width * height }, (_, i) => data[4 * i + 3] / 255), width, height };
  }
}

type Colour = readonly [red: number, green: number, blue: number, alpha: number];

function paint(context: CanvasRenderingContext2D, image: Float32Array, colourOf: (pixel: number) => Colour): void {
  const data = context.createImageData(SIDE, SIDE);
  image.forEach((pixel, i) => data.data.set(colourOf(pixel), 4 * i));
  context.putImageData(data, 0, 0);
}
