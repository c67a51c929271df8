// Turns a list of layers into a program: nodes in the order of forward, and the buffers between them.
//
// Where one layer gives another order of elements than the next one takes, there is a transposition.
import { padded } from "../memory/arena.js";
import type { Shape } from "../memory/tensor.js";
import { wrongType, wrongValue } from "../util/check.js";
import { type Chain, Layer, type Order, type Place, type Plan, type Row, type TensorPlan } from "./layers/layer.js";
import { type Value, sizeOf } from "./layers/layer.js";
import { Span } from "./memory.js";

/** One operation of the program. */
export interface Node {
  /** Begins messages, as in `Network: layer 3.1 (linear)`. */
  readonly owner: string;
  readonly plan: Plan;
  readonly order: Order;
  readonly x: Span;
  readonly y: Span;
  readonly kept: Span;
  /** Set by `#backward`. */
  dy: Span;
  dx: Span;
  /** Index of the first parameter and of the first buffer among the program's. */
  readonly parameter: number;
  readonly buffer: number;
}

/** What the program is made for. */
interface Setting {
  readonly owner: string;
  readonly rows: number;
  readonly skipZeros: boolean;
  readonly seed: number;
  /** Number of threads that run it. */
  readonly threads: number;
}

const NONE = new Span(0, 0);
const END = Infinity;

/** A program and all that it needs. Spans are in time: forward of node i at i, the loss at n, backward of node i at 2n − i. */
export class Program implements Chain {
  readonly nodes: Node[] = [];
  readonly rows: Row[] = [];
  readonly parameters: TensorPlan[] = [];
  readonly buffers: (TensorPlan & { readonly start: number })[] = [];
  readonly spans: Span[] = [];
  readonly input: Span;
  readonly result: Span;
  readonly output: Shape;
  /** The gradient with respect to the result. */
  readonly delta: Span;
  readonly scratch: Span;
  /** The gradients of one node's parameters: those to be added to what is there, or not needed. */
  readonly side: Span;
  readonly #setting: Setting;
  /** That of a layer so far: without one, no order is another. */
  #transposition: Plan["transposition"];
  #layers = 0;
  /** Bytes of scratch, and of gradients at the side, that a node needs at most. */
  #scratch = 0;
  #side = 0;

  constructor(setting: Setting, shape: Shape, layers: unknown) {
    const { owner, rows } = setting;
    this.#setting = setting;
    this.input = this.#take(sizeOf(shape) * rows, -1);
    const chained = this.chain(layers, owner, "", "", { span: this.input, shape, order: "first" });
    const last = this.ordered(chained, "first");
    const n = this.nodes.length;
    this.output = last.shape;
    this.result = last.span.read(n);
    this.delta = this.#take(sizeOf(last.shape) * rows, n);
    this.#backward(this.delta);
    this.scratch = this.#take(this.#scratch / 4, -1).read(END);
    this.side = this.#take(this.#side / 4, n).read(END);
  }

  #take(elements: number, from: number): Span {
    const span = new Span(elements, from);
    this.spans.push(span);
    return span;
  }

  /** Layers one after the other. `path` and `prefix` are those of the residual that they are in, with a dot at the end. */
  chain(layers: unknown, owner: string, path: string, prefix: string, value: Value): Value {
    checkLayers(owner, layers);
    layers.forEach((layer, i) => {
      value = this.#layer(layer, `${path}${i}`, `${prefix}${i}`, value);
    });
    return value;
  }

  #layer(layer: Layer, path: string, prefix: string, value: Value): Value {
    const { kind, options, plan } = layer;
    const owner = `${this.#setting.owner}: layer ${path} (${kind})`;
    const { name } = (options ?? {}) as { name?: unknown };
    if (name !== undefined && (typeof name !== "string" || name === ""))
      throw (typeof name === "string" ? wrongValue : wrongType)(owner, "name", "a name that is not empty", name);
    const place: Place = {
      owner,
      shape: value.shape,
      rows: this.#setting.rows,
      first: this.#layers === 0,
      skipZeros: this.#setting.skipZeros,
      index: this.#layers++,
      seed: this.#setting.seed,
      threads: this.#setting.threads,
    };
    if (layer.expand) return layer.expand(this, owner, path, name ?? prefix, value);
    const made = plan!(place);
    this.#transposition ??= made.transposition;
    const tensors = (made.parameters ?? []).map((tensor) => ({ ...tensor, name: `${name ?? prefix}.${tensor.name}` }));
    const buffers = (made.buffers ?? []).map((tensor) => ({ ...tensor, name: `${name ?? prefix}.${tensor.name}` }));
    for (const { name } of [...tensors, ...buffers])
      if ([...this.parameters, ...this.buffers].some((other) => other.name === name))
        throw new RangeError(`${owner}: there is a tensor "${name}" already: give the layer another name`);
    const size = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    this.rows.push({ path, kind, output: made.output, parameters: size });
    const result = this.node(owner, made, this.ordered(value, made.takes));
    this.parameters.push(...tensors);
    this.buffers.push(...buffers);
    return result;
  }

  /** The value in the wanted order. */
  ordered(value: Value, wanted: Order = value.order): Value {
    const { shape } = value;
    if (value.order === wanted) return value;
    const [channels, positions] = [shape[0], sizeOf(shape.slice(1))];
    if (channels === 1 || positions === 1) return { ...value, order: wanted };
    return this.node(this.#setting.owner, this.#transposition!(shape, channels, positions, wanted), value);
  }

  /** Adds a node, and the memory of its output. */
  node(owner: string, plan: Plan, value: Value): Value {
    const time = this.nodes.length;
    const { span, order } = value;
    span.read(plan.reads === "x" || plan.reads === "both" ? END : time);
    const shared = plan.identity === true || (plan.inPlace === true && span.endsAt(time));
    const y = shared ? span : this.#take(sizeOf(plan.output) * this.#setting.rows, time);
    if (plan.reads === "y" || plan.reads === "both") y.read(END);
    this.push({ owner, plan, order, x: span, y });
    return { span: y, shape: plan.output, order: plan.gives ?? order };
  }

  push(node: Pick<Node, "owner" | "plan" | "order" | "x" | "y">): void {
    const { kept = 0, scratch = 0, parameters = [] } = node.plan;
    this.nodes.push({
      ...node,
      kept: kept > 0 ? this.#take(kept / 4, this.nodes.length).read(END) : NONE,
      dy: NONE,
      dx: NONE,
      parameter: this.parameters.length,
      buffer: this.buffers.length,
    });
    this.#scratch = Math.max(this.#scratch, scratch);
    const side = parameters.reduce((sum, { shape }) => sum + padded(sizeOf(shape)), 0);
    this.#side = Math.max(this.#side, side);
  }

  /** Gives each node the memory of its gradients, from the last to the first. */
  #backward(delta: Span): void {
    const nodes = this.nodes;
    for (let i = nodes.length - 1; i >= 0; i--) {
      const node = nodes[i];
      const { plan } = node;
      const time = 2 * nodes.length - i;
      node.dy = delta.read(time);
      plan.route?.(delta, time);
      const shared = plan.identity ?? plan.identityBackward ?? (plan.inPlaceBackward === true && delta.endsAt(time));
      if (!shared) delta = this.#take(node.x.bytes / 4, time);
      node.dx = delta;
    }
  }
}

function checkLayers(owner: string, layers: unknown): asserts layers is readonly Layer[] {
  const expected = "an array of one or more layers";
  if (!Array.isArray(layers)) throw wrongType(owner, "layers", expected, layers);
  if (layers.length === 0) throw wrongValue(owner, "layers", expected, layers);
  for (let i = 0; i < layers.length; i++)
    if (!(layers[i] instanceof Layer)) throw wrongType(owner, `layers[${i}]`, "a layer, such as relu()", layers[i]);
}
