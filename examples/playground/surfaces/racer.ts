import { type Arena, ParameterDict } from "gradstep";
import type { RuleOnOffer, Runner } from "./rules.ts";
import type { Landscape, Point } from "./surfaces.ts";

/** Beyond this a path has diverged. */
const FAR = 1e4;
/** How near a minimum counts, as a part of the picture's width and height, and for how many steps in a row. */
const NEAR = 0.01;
const HOLD = 10;
/** A rule has stalled when its lowest loss has fallen by less than a thousandth in so many steps. */
const PATIENCE = 2500;
const PROGRESS = 1e-3;

/**
 * What has become of a rule: it is on its way, has arrived at a global minimum, has ended in a local one, makes no progress
 * or has diverged. It stops in all but the first.
 */
export type Fate = "running" | "arrived" | "local" | "stalled" | "diverged";

/** One rule on its way down a surface, and where it has been. */
export class Racer {
  readonly #surface: Landscape;
  readonly #params: ParameterDict<"point">;
  readonly #runner: Runner;
  readonly #closure: () => number;
  #path = new Float32Array(256);
  #steps = 0;
  #loss: number;
  #fate: Fate = "running";
  /** Steps in a row near the same minimum. */
  #held = 0;
  #near: Point | undefined;
  #lowest: number;
  #lowestAt = 0;

  /** `options` are the rule's; the point is a 1×2 matrix, so that matrix rules take it. */
  constructor(arena: Arena, surface: Landscape, rule: RuleOnOffer, options: object, start: Point) {
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
    this.#loss = this.#lowest = surface.loss(point[0], point[1]);
  }

  /** Steps so far; it takes no more once it is not running. */
  get steps(): number {
    return this.#steps;
  }

  /** The loss where it stands. */
  get loss(): number {
    return this.#loss;
  }

  get fate(): Fate {
    return this.#fate;
  }

  /** The step after which it stayed near the minimum that it came to; undefined when it came to none. */
  get arrival(): number | undefined {
    return this.#fate === "arrived" || this.#fate === "local" ? this.#steps - HOLD + 1 : undefined;
  }

  /** x and y of the start and of every step so far, in turns. */
  get path(): Float32Array {
    return this.#path.subarray(0, 2 * (this.#steps + 1));
  }

  /** One step of its rule, unless it has stopped. */
  step(): void {
    if (this.#fate !== "running") return;
    this.#runner.step(this.#closure);
    const [x, y] = this.#params.data.point;
    if (!(Math.abs(x) < FAR && Math.abs(y) < FAR)) {
      this.#fate = "diverged";
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
    this.#judge(x, y);
  }

  dispose(): void {
    this.#runner.dispose();
    this.#params.dispose();
  }

  #judge(x: number, y: number): void {
    const { domain, minima, localMinima } = this.#surface;
    const width = domain.x[1] - domain.x[0];
    const height = domain.y[1] - domain.y[0];
    const isNear = (point: Point): boolean => Math.hypot((x - point.x) / width, (y - point.y) / height) < NEAR;
    const near = minima.find(isNear) ?? localMinima.find(isNear);
    this.#held = near === undefined ? 0 : near === this.#near ? this.#held + 1 : 1;
    this.#near = near;
    if (this.#loss < this.#lowest * (1 - PROGRESS)) {
      this.#lowest = this.#loss;
      this.#lowestAt = this.#steps;
    }
    if (near !== undefined && this.#held === HOLD) this.#fate = minima.includes(near) ? "arrived" : "local";
    else if (this.#steps - this.#lowestAt >= PATIENCE) this.#fate = "stalled";
  }
}
