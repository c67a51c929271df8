// A program with addresses: runs forward and backward in the arena.
import type { Arena } from "../memory/arena.js";
import type { Saved } from "../memory/saved.js";
import type { Tensor } from "../memory/tensor.js";
import type { NetworkKernels } from "../wasm/generated/nn-kernels.js";
import type { Program } from "./compile.js";
import { type Operation, type Run, type Slot, sizeOf } from "./layers/layer.js";

/** A parameter of a node. Its gradient goes to the side while it is accumulated or not needed. */
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
  /** Tensors beside the parameters. */
  readonly buffers: Saved["buffers"];

  /** The current call. */
  readonly #run: { -readonly [Key in keyof Run]: Run[Key] } = { rows: 0, training: true, step: 0 };
  /** Index of the first node with a parameter that trains; below it, backward has nothing to do. */
  #lowest = 0;

  /** `program.spans` have addresses; `tensors` are the program's parameters. */
  constructor(arena: Arena, kernels: NetworkKernels, program: Program, tensors: readonly Tensor[]) {
    const { buffer } = arena;
    this.#arena = arena;
    this.#kernels = kernels;
    this.buffers = program.buffers.map((tensor) => {
      const { shape, start, span } = tensor;
      return { ...tensor, data: new Float32Array(buffer, span.at, sizeOf(shape)).fill(start) };
    });
    // The program's parameters and buffers are in the order of its nodes.
    let parameter = 0;
    let next = 0;
    this.#nodes = program.nodes.map((node) => {
      let side = program.side.at;
      const parameters = (node.plan.parameters ?? []).map((): Parameter => {
        const tensor = tensors[parameter++];
        const { dataAt, gradAt, bytes } = tensor;
        side += bytes;
        return { tensor, dataAt, gradAt, sideAt: side - bytes, trains: true };
      });
      const operation = node.plan.bind({
        buffer,
        kernels,
        x: node.x.at,
        y: node.y.at,
        dx: node.dx.at,
        dy: node.dy.at,
        kept: node.kept.at,
        scratch: program.scratch.at,
        parameters,
        buffers: (node.plan.buffers ?? []).map(() => program.buffers[next++].span.at),
        order: node.order,
      });
      return { operation, parameters };
    });

    this.train([], true);
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
    for (let i = this.#nodes.length - 1; i >= end; i--) {
      const { operation, parameters } = this.#nodes[i];
      if (accumulate) for (let k = 0; k < parameters.length; k++) parameters[k].gradAt = parameters[k].sideAt;
      operation.backward(this.#run, toInput || i > end);
      if (accumulate) for (let k = 0; k < parameters.length; k++) this.#accumulate(parameters[k]);
    }
  }

  /** Sets whether some parameters train; the gradients of the others are not computed. */
  train(tensors: readonly Tensor[], trains: boolean): void {
    for (const { parameters } of this.#nodes)
      for (const parameter of parameters)
        if (tensors.includes(parameter.tensor)) {
          parameter.trains = trains;
          parameter.gradAt = trains ? parameter.tensor.gradAt : parameter.sideAt;
        }
    const lowest = this.#nodes.findIndex(({ parameters }) => parameters.some(({ trains }) => trains));
    this.#lowest = lowest < 0 ? this.#nodes.length : lowest;
  }

  /** Names of the parameters that do not train. */
  get frozen(): string[] {
    return this.#nodes.flatMap(({ parameters }) =>
      parameters.filter(({ trains }) => !trains).map(({ tensor }) => tensor.name),
    );
  }

  #accumulate(parameter: Parameter): void {
    const { tensor, sideAt, trains } = parameter;
    if (!trains) return;
    parameter.gradAt = tensor.gradAt;
    // The gradient's padding stays zero.
    this.#arena.fill(sideAt + 4 * tensor.size, tensor.bytes - 4 * tensor.size, 0);
    this.#kernels.add(tensor.size, tensor.gradAt, sideAt, tensor.gradAt);
  }
}
