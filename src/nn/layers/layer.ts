// What a layer of a network is: how it says what it needs, and how it computes. Read this before you write one.
//
// A layer is three things, one after the other:
//
//   Layer       what a function such as `linear(10)` returns: its arguments, unchecked. It may be used several times.
//   Plan        made once per place in a network by `Layer.plan(place)`, which checks the arguments and the input's shape:
//               the output's shape, the parameters, the memory. Nothing is allocated yet.
//   Operation   made by `Plan.bind(bound)` when the addresses of everything are known: forward and backward, as kernel calls.
//
// Shapes are PyTorch's, without the rows of the batch: [channels, height, width], [channels, length], [tokens, features],
// [features]. In memory each activation is rows × its elements in one of two orders:
//
//   "first"     PyTorch's order: the shape, row-major
//   "last"      channels last: [..., shape[0]] with all other dimensions before it, as convolutions and pooling compute
//
// A plan says in which order it takes its input and gives its output. The network inserts transpositions where orders
// differ (none where there is one channel or one position), so that a layer never converts anything; inputs, outputs and
// `flatten()` are in PyTorch's order. A layer that says nothing computes the same in either order, such as `relu()`.
//
// Memory. A plan says what it needs and for how long; the network plans all of it in one block, where buffers that are never
// in use at the same time overlap. All addresses are multiples of 64 bytes, and every buffer is padded to one, so that
// kernels may read and write whole vectors beyond the end. Buffers start with arbitrary contents.
//
//   x, y        the input and the output. `reads` says which of them backward reads, and hence must be kept until then.
//               `inPlace` allows the network to give y the address of x, which it does if nothing else needs x.
//   dy, dx      the gradients with respect to y and x. `inPlaceBackward` allows dx to be at the address of dy; otherwise
//               backward must not change dy.
//   kept        bytes that forward writes and backward reads: statistics, attention weights, repacked weights
//   scratch     bytes for one call of forward or backward; their contents are lost between calls
//
// Bytes may depend on `place.rows`, the most rows of a call. Backward may be called several times after a forward, so it must
// not change x, y and what is kept.
//
// Parameters and buffers have PyTorch's names ("weight", "out_proj.bias"); the network adds the prefix. Backward overwrites
// the gradient at `gradAt` with that of the current batch: the network accumulates. It reads `gradAt` anew in each call,
// since the network may redirect it to scratch memory. Where `trains` is false the gradient is not needed: the kernel may be
// skipped, or called all the same.
//
// Threads: a layer calls its kernels through `bound.kernels`, which divides those that src/threads/network-costs.ts lists. Each
// thread then runs the same call, after `takePart(part, parts)`, and the kernel computes its part of the rows, images or
// elements (assembly/products/parts.ts), with the same bits. Where it needs scratch it takes its part of that, at
// scratch + part·bytes: `Plan.scratch` has space for `place.threads` of them.
import type { Shape } from "../../memory/tensor.js";
import type { Kind } from "../../util/check.js";
import { readKinds } from "../../util/options.js";
import type { NetworkKernels } from "../../wasm/generated/nn-kernels.js";
import type { Start } from "../init.js";
import type { InputBuffer } from "../input.js";
import type { Span } from "../memory.js";

export type Order = "first" | "last";

/** Where a layer is in its network. */
export interface Place {
  /** Begins every message, as in `Network: layer 3 (linear)`. */
  readonly owner: string;
  /** The input's shape. */
  readonly shape: Shape;
  /** The most rows of a call. */
  readonly rows: number;
  /** The `skipZeros` option of the network. */
  readonly skipZeros: boolean;
  /** The number of layers before this one, in depth-first order: only a first one may take tokens. Random layers draw by seed, index, step and element. */
  readonly index: number;
  /** The `seed` option of the network. */
  readonly seed: number;
  /** The number of threads that may divide a kernel's work. */
  readonly threads: number;
}

/** A parameter or a buffer. */
export interface TensorPlan {
  /** PyTorch's name, without the prefix. */
  readonly name: string;
  readonly shape: Shape;
  /** Initial values; a number for buffers. */
  readonly start: Start;
}

/** What a layer needs, and what it gives. */
export interface Plan {
  /** The output's shape. */
  readonly output: Shape;
  /** The order that the input must be in. Default: either. */
  readonly takes?: Order;
  /** The order of the output. Default: the input's. */
  readonly gives?: Order;
  /** Parameters in PyTorch's order. */
  readonly parameters?: readonly TensorPlan[];
  readonly buffers?: readonly (TensorPlan & { readonly start: number })[];
  /** What backward reads. Default: neither x nor y. */
  readonly reads?: "x" | "y" | "xy";
  /** Whether y may be x. */
  readonly inPlace?: boolean;
  /** Whether dx may be dy. */
  readonly inPlaceBackward?: boolean;
  /** The output is the input, under another shape. Such a layer computes nothing. */
  readonly identity?: boolean;
  /** Bytes that backward needs beside x and y. */
  readonly kept?: number;
  /** Bytes for a single call. */
  readonly scratch?: number;
  /** Multiply-adds of one row forward, in products. */
  readonly flops?: number;
  /** Makes the memory of an input that is something else than floats, and has no gradient. */
  readonly input?: (...args: ConstructorParameters<typeof InputBuffer>) => InputBuffer;
  /** The transposition to and from the order, where `takes` or `gives` is "last"; it gives undefined where nothing moves. */
  readonly transposition?: (shape: Shape, gives: Order) => Plan | undefined;
  /** Whether dx is dy, though y is not x. */
  readonly identityBackward?: boolean;
  /** Called with the memory of dy and the time of backward, for gradients that go elsewhere, too. */
  route?(gradient: Span, time: number): void;
  bind(bound: Bound): Operation;
}

/** A tensor of a bound layer. */
export interface Slot {
  readonly dataAt: number;
  /** Where backward writes the gradient. It may change between calls. */
  readonly gradAt: number;
  /** Whether the gradient is needed. */
  readonly trains: boolean;
}

/** The addresses that a layer computes with. */
export interface Bound {
  /** The arena's memory, in which all addresses are. */
  readonly buffer: ArrayBuffer;
  readonly kernels: NetworkKernels;
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly kept: number;
  readonly scratch: number;
  /** As in `Plan.parameters`. */
  readonly parameters: readonly Slot[];
  /** Addresses, as in `Plan.buffers`. */
  readonly buffers: readonly number[];
  /** The order in which the input comes: `takes`, if that is given. */
  readonly order: Order;
}

/** The current call. The same object each time. */
export interface Run {
  /** From 1 to `Place.rows`. */
  readonly rows: number;
  /** In backward: as in the forward before it. */
  readonly training: boolean;
  /** The number of training forwards before this one: random layers draw by it. */
  readonly step: number;
}

/** A layer's computation. A call allocates nothing and checks nothing. */
export interface Operation {
  /** Throws, before anything has changed, if forward cannot take so many rows. */
  check?(rows: number, training: boolean): void;
  forward(run: Run): void;
  /** Overwrites the gradients of the parameters, and that of the input if it is needed. */
  backward(run: Run, needsInputGradient: boolean): void;
}

/** Options of every layer. */
export interface LayerOptions {
  /** Prefix of the parameters' names, instead of the layer's index in the network. */
  name?: string | undefined;
}

/** How a value lies in memory between two layers. */
export interface Value {
  readonly span: Span;
  readonly shape: Shape;
  readonly order: Order;
}

/** A layer as `summary()` shows it. */
export interface Row {
  readonly path: string;
  readonly kind: string;
  readonly output: Shape;
  /** Elements of its parameters. */
  readonly parameters: number;
}

/** The program so far, to which a layer that contains layers adds them. */
export interface Chain {
  readonly rows: Row[];
  readonly nodes: readonly unknown[];
  /** Layers one after the other. `path` and `prefix` are those of the layer that they are in, with a dot at the end. */
  chain(layers: unknown, owner: string, path: string, prefix: string, value: Value): Value;
  /** The value in the wanted order. */
  ordered(value: Value, wanted?: Order): Value;
  /** Adds an operation, and the memory of its output. */
  node(owner: string, plan: Plan, value: Value): Value;
  /** Adds an operation between buffers. */
  push(node: {
    readonly owner: string;
    readonly plan: Plan;
    readonly order: Order;
    readonly x: Span;
    readonly y: Span;
  }): void;
}

type Expand = (chain: Chain, owner: string, path: string, prefix: string, value: Value) => Value;

/** A layer of a {@link Network}, such as {@link linear} returns. It is checked when a network is made of it. */
export class Layer {
  /** The function's name. */
  readonly kind: string;
  /** @internal */
  readonly options: unknown;
  /** @internal Throws a TypeError or RangeError that begins with `place.owner`. Residuals have none. */
  readonly plan: ((place: Place) => Plan) | undefined;
  /** @internal Of a residual: puts itself and its layers into the chain. */
  readonly expand: Expand | undefined;

  /** @internal */
  constructor(kind: string, options: unknown, plan?: (place: Place) => Plan, expand?: Expand) {
    this.kind = kind;
    this.options = options;
    this.plan = plan;
    this.expand = expand;
  }
}

/** Reads a layer's options: each of `kinds`, or its default where it is left out. `name` is read by the network. */
export const readOptions = <T extends object>(
  owner: string,
  options: unknown = {},
  kinds: { readonly [Key in keyof T]: Kind<T[Key]> },
  defaults: T,
): T => readKinds(owner, options, kinds, defaults, ["name"]);

/** The error for an input of the wrong shape: `expected` says which, as in "[channels, height, width]". */
export const misfit = ({ owner, shape }: Place, expected: string): RangeError =>
  new RangeError(`${owner}: expected an input of shape ${expected}, got ${showShape(shape)}`);

export const showShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** The number of elements of a shape. */
export const sizeOf = (shape: Shape): number => shape.reduce((size, n) => size * n, 1);
