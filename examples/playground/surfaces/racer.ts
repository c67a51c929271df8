import { type Arena, ParameterDict } from "gradstep";
import type { RuleOnOffer, Runner } from "./rules.ts";
import type { Point, Surface } from "./surfaces.ts";

/** Beyond this a path has left for good. */
const FAR = 1e4;

/** One rule on its way down a surface, and where it has been. */
export class Racer {
  readonly #surface: Surface;
  readonly #params: ParameterDict<"point">;
  readonly #runner: Runner;
  readonly #closure: () => number;
  #path = new Float32Array(256);
  #steps = 0;
  #loss: number;
  #gone = false;

  /** `options` are the rule's; the point is a 1×2 matrix, so that matrix rules take it. */
  constructor(arena: Arena, surface: Surface, rule: RuleOnOffer, options: object, start: Point) {
    this.#surface = surface;
    this.#params = new ParameterDict({ point: [1, 2] }, { arena });
    const point = this.#params.data.point;
    const gradient = this.#params.grad.point;
    point[0] = start.x;
    point[1] = start.y;
    this.#closure = () => {
      const [byX, byY] = surface.gradient(point[0], point[1]);
      gradient[0] = byX;
      gradient[1] = byY;
      return surface.loss(point[0], point[1]);
    };
    try {
      this.#runner = rule.make(this.#params, options);
    } catch (error) {
      this.#params.dispose();
      throw error;
    }
    this.#path[0] = point[0];
    this.#path[1] = point[1];
    this.#loss = surface.loss(point[0], point[1]);
  }

  get steps(): number {
    return this.#steps;
  }

  /** Where it stands. */
  get loss(): number {
    return this.#loss;
  }

  /** Whether it has diverged: it goes no further then. */
  get gone(): boolean {
    return this.#gone;
  }

  /** x and y of the start and of every step so far, in turns. */
  get path(): Float32Array {
    return this.#path.subarray(0, 2 * (this.#steps + 1));
  }

  /** One step of its rule. */
  step(): void {
    if (this.#gone) return;
    this.#runner.step(this.#closure);
    const [x, y] = this.#params.data.point;
    if (!(Math.abs(x) < FAR && Math.abs(y) < FAR)) {
      this.#gone = true;
      return;
    }
    this.#steps++;
    const at = 2 * this.#steps;
    if (at === this.#path.length) {
      const longer = new Float32Array(2 * at);
      longer.set(this.#path);
      this.#path = longer;
    }
    this.#path[at] = x;
    this.#path[at + 1] = y;
    this.#loss = this.#surface.loss(x, y);
  }

  dispose(): void {
    this.#runner.dispose();
    this.#params.dispose();
  }
}
