// A program with addresses: runs forward and backward in the arena.
import type { Arena } from "../memory/arena.js";
import type { Tensor } from "../memory/tensor.js";
import type { NetworkKernels } from "../wasm/generated/nn-kernels.js";
import type { Program } from "./compile.js";
import type { Operation, Run, Slot } from "./layers/layer.js";

/** A parameter of a node. Its gradient goes elsewhere while it is accumulated or not needed. */
interface Parameter extends Slot {
  readonly tensor: Tensor;
  /** The place for this gradient beside those of the same node. */
  readonly sideAt: number;
  gradAt: number;
  trains: boolean;
}

/** An operation with its parameters. */
interface Bound {
  readonly operation: Operation;
  readonly parameters: readonly Parameter[];
}

/** Runs a program. It checks nothing but what depends on the run. */
export class Engine {
  readonly #arena: Arena;
  readonly #kernels: NetworkKernels;
  readonly #nodes: readonly Bound[];

  /** The current call. */
  readonly #run: { -readonly [Key in keyof Run]: Run[Key] } = { rows: 0, training: true, step: 0 };
  /** Whether gradients go to the memory at the side, to be accumulated. */
  #toSide = false;
  /** Index of the first node with a parameter that trains; below it, backward has nothing to do. */
  #lowest = 0;

  /** `program.spans` have addresses; `tensors` and `buffers` are the program's. */
  constructor(
    arena: Arena,
    kernels: NetworkKernels,
    program: Program,
    tensors: readonly Tensor[],
    buffers: readonly number[],
  ) {
    this.#arena = arena;
    this.#kernels = kernels;
    this.#nodes = program.nodes.map((node) => {
      let side = program.side.at;
      const parameters = (node.plan.parameters ?? []).map((_, i): Parameter => {
        const tensor = tensors[node.parameter + i];
        const { dataAt, gradAt, bytes } = tensor;
        side += bytes;
        return { tensor, dataAt, gradAt, sideAt: side - bytes, trains: true };
      });
      const operation = node.plan.bind({
        buffer: arena.buffer,
        kernels,
        x: node.x.at,
        y: node.y.at,
        dx: node.dx.at,
        dy: node.dy.at,
        kept: node.kept.at,
        scratch: program.scratch.at,
        parameters,
        buffers: (node.plan.buffers ?? []).map((_, i) => buffers[node.buffer + i]),
        order: node.plan.takes ?? node.order,
      });
      return { operation, parameters };
    });

    this.train(() => true);
  }

  /** The number of training forwards so far. */
  steps = 0;

  /** The rows of the current call. */
  get rows(): number {
    return this.#run.rows;
  }

  /** Begins a call: throws if a layer cannot take it, and changes nothing then. The input is loaded after this. */
  begin(rows: number, training: boolean): void {
    for (let i = 0; i < this.#nodes.length; i++) this.#nodes[i].operation.check?.(rows, training);
    this.#run.rows = rows;
    this.#run.training = training;
    this.#run.step = this.steps;
    if (training) this.steps++;
  }

  /** Computes the result from the input. */
  forward(): void {
    for (let i = 0; i < this.#nodes.length; i++) this.#nodes[i].operation.forward(this.#run);
  }

  /** Computes the gradients of the parameters that train from that of the result, and the input's gradient if asked for. */
  backward(toInput: boolean, accumulate: boolean): void {
    const end = toInput ? 0 : this.#lowest;
    if (accumulate !== this.#toSide) this.#direct(accumulate);
    for (let i = this.#nodes.length - 1; i >= end; i--) {
      const { operation, parameters } = this.#nodes[i];
      operation.backward(this.#run, toInput || i > end);
      if (accumulate) for (let k = 0; k < parameters.length; k++) this.#accumulate(parameters[k]);
    }
  }

  /** Sets which parameters train; the gradients of the others are not computed. */
  train(trains: (tensor: Tensor) => boolean): void {
    for (const { parameters } of this.#nodes)
      for (const parameter of parameters) parameter.trains = trains(parameter.tensor);
    this.#direct(false);
    const lowest = this.#nodes.findIndex(({ parameters }) => parameters.some(({ trains }) => trains));
    this.#lowest = lowest < 0 ? this.#nodes.length : lowest;
  }

  /** Sets where gradients go: those to be accumulated, and those that are not needed, to the memory at the side. */
  #direct(toSide: boolean): void {
    this.#toSide = toSide;
    for (const { parameters } of this.#nodes)
      for (const parameter of parameters)
        parameter.gradAt = toSide || !parameter.trains ? parameter.sideAt : parameter.tensor.gradAt;
  }

  #accumulate({ tensor, sideAt, trains }: Parameter): void {
    if (!trains) return;
    // The gradient's padding stays zero.
    this.#arena.fill(sideAt + 4 * tensor.size, tensor.bytes - 4 * tensor.size, 0);
    this.#kernels.add(tensor.size, tensor.gradAt, sideAt, tensor.gradAt);
  }
}
