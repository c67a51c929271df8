// Turns a list of layers into a program: nodes in the order of forward, and the buffers between them.
//
// Where one layer gives another order of elements than the next one takes, there is a transposition.
import { padded } from "../memory/arena.js";
import type { Shape } from "../memory/tensor.js";
import { list, primitive, wrongType } from "../util/check.js";
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
}

/** What the program is made for. */
type Setting = Omit<Place, "shape" | "index">;

const END = Infinity;

/** A program and all that it needs. Spans are in time: forward of node i at i, the loss at n, backward of node i at 2n − i. */
export class Program implements Chain {
  readonly nodes: Node[] = [];
  readonly rows: Row[] = [];
  readonly parameters: TensorPlan[] = [];
  readonly buffers: (TensorPlan & { readonly start: number; readonly span: Span })[] = [];
  readonly spans: Span[] = [];
  readonly input: Span;
  readonly result: Span;
  readonly output: Shape;
  /** Elements of a row of x, and of the outputs. */
  readonly inputs: number;
  readonly outputs: number;
  /** The gradient with respect to the result. */
  readonly delta: Span;
  readonly targets: Span;
  /** Float64: the losses of a row, one for all classes. */
  readonly losses: Span;
  readonly scratch: Span;
  /** The gradients of one node's parameters: those to be added to what is there, or not needed. */
  readonly side: Span;
  readonly #setting: Setting;
  /** That of a layer so far: without one, no order is another. */
  #transposition: Plan["transposition"];
  #layers = 0;
  readonly #names = new Set<string>();

  constructor(setting: Setting, shape: Shape, layers: unknown) {
    const { owner, rows } = setting;
    this.#setting = setting;
    this.inputs = sizeOf(shape);
    this.input = this.#take(this.inputs * rows, -1);
    const chained = this.chain(layers, owner, "", "", { span: this.input, shape, order: "first" });
    const last = this.ordered(chained, "first");
    const n = this.nodes.length;
    this.output = last.shape;
    this.outputs = sizeOf(last.shape);
    const size = this.outputs * rows;
    this.result = last.span.read(n);
    this.delta = this.#take(size, n);
    this.#backward(this.delta);
    const most = (bytes: (plan: Plan) => number): number => Math.max(...this.nodes.map(({ plan }) => bytes(plan)));
    this.scratch = this.#take(most(({ scratch = 0 }) => scratch) / 4, -1).read(END);
    this.side = this.#take(most(bytesOf) / 4, n).read(END);
    this.targets = this.#take(size, -1).read(n);
    this.losses = this.#take((2 * size) / last.shape[last.shape.length - 1], n);
  }

  #take(elements: number, from: number): Span {
    const span = new Span(elements, from);
    this.spans.push(span);
    return span;
  }

  /** Layers one after the other. `path` and `prefix` are those of the residual that they are in, with a dot at the end. */
  chain(layers: unknown, owner: string, path: string, prefix: string, value: Value): Value {
    layerList.read(owner, "layers", layers).forEach((layer, i) => {
      value = this.#layer(layer, `${path}${i}`, `${prefix}${i}`, value);
    });
    return value;
  }

  #layer(layer: Layer, path: string, prefix: string, value: Value): Value {
    const { kind, options, plan } = layer;
    const owner = `${this.#setting.owner}: layer ${path} (${kind})`;
    const { name: given = prefix } = (options ?? {}) as { name?: unknown };
    const name = nameKind.read(owner, "name", given);
    const index = this.#layers++;
    if (layer.expand) return layer.expand(this, owner, path, name, value);
    const made = plan!({ ...this.#setting, owner, shape: value.shape, index });
    this.#transposition ??= made.transposition;
    const named = <T extends TensorPlan>(tensors: readonly T[] = []): T[] =>
      tensors.map((tensor) => {
        const full = `${name}.${tensor.name}`;
        if (this.#names.has(full))
          throw new RangeError(`${owner}: there is a tensor "${full}" already: give the layer another name`);
        this.#names.add(full);
        return { ...tensor, name: full };
      });
    const parameters = named(made.parameters);
    const size = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    this.rows.push({ path, kind, output: made.output, parameters: size });
    this.parameters.push(...parameters);
    for (const buffer of named(made.buffers))
      this.buffers.push({ ...buffer, span: this.#take(sizeOf(buffer.shape), -1).read(END) });
    return this.node(owner, made, this.ordered(value, made.takes));
  }

  /** The value in the wanted order. */
  ordered(value: Value, wanted: Order = value.order): Value {
    if (value.order === wanted) return value;
    const plan = this.#transposition!(value.shape, wanted);
    return plan ? this.node(this.#setting.owner, plan, value) : { ...value, order: wanted };
  }

  /** Adds a node, and the memory of its output. */
  node(owner: string, plan: Plan, value: Value): Value {
    const time = this.nodes.length;
    const { span, order } = value;
    span.read(plan.reads?.includes("x") ? END : time);
    const shared = plan.identity === true || (plan.inPlace === true && span.endsAt(time));
    const y = shared ? span : this.#take(sizeOf(plan.output) * this.#setting.rows, time);
    if (plan.reads?.includes("y")) y.read(END);
    this.push({ owner, plan, order, x: span, y });
    return { span: y, shape: plan.output, order: plan.gives ?? order };
  }

  push(node: Pick<Node, "owner" | "plan" | "order" | "x" | "y">): void {
    const kept = this.#take((node.plan.kept ?? 0) / 4, this.nodes.length).read(END);
    this.nodes.push({ ...node, kept, dy: node.y, dx: node.x });
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

/** The bytes of tensors, of which each is padded. */
export const bytesOf = ({ parameters = [] }: Pick<Plan, "parameters">): number =>
  parameters.reduce((sum, { shape }) => sum + padded(sizeOf(shape)), 0);

const nameKind = primitive<string>("string", "a name that is not empty", (name) => name !== "");

const layerList = list<Layer>(
  {
    read(owner, name, value) {
      if (value instanceof Layer) return value;
      throw wrongType(owner, name, "a layer, such as relu()", value);
    },
  },
  "an array of one or more layers",
  1,
);
