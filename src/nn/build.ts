// Makes a network: compiles its layers, takes memory and initializes the parameters.
import { Generator } from "../init/generator.js";
import { MAX_CAPACITY, RESERVED } from "../memory/arena.js";
import { arenaFor, threadsOf } from "../memory/memory-options.js";
import { ParameterDict } from "../memory/parameters.js";
import type { Shape } from "../memory/tensor.js";
import { list, wholeFrom } from "../util/check.js";
import { Program, bytesOf } from "./compile.js";
import { Engine } from "./engine.js";
import { fill } from "./init.js";
import { InputBuffer } from "./input.js";
import { networkKernels } from "./kernels.js";
import { type Layer, sizeOf } from "./layers/layer.js";
import { Criterion, type Loss } from "./losses.js";
import { planMemory } from "./memory.js";
import { type NetworkOptions, readOptions } from "./options.js";
import { type RowViews, rowViews } from "./row-views.js";

/** What a subclass of `Network` sets. */
export interface Variant {
  /** Begins every message. */
  readonly owner: string;
  /** Names of options that the subclass has read. */
  readonly options: readonly string[];
  /** `predict` and `evaluate` take at least this many rows at a time. */
  readonly leastRows: number;
}

/** The parts of a network. */
export interface Built {
  /** Begins every message. */
  readonly owner: string;
  readonly program: Program;
  readonly params: ParameterDict;
  /** Elements of a row of x, and of the outputs. */
  readonly inputShape: Shape;
  readonly inputs: number;
  readonly outputs: number;
  /** The most rows of a batch, and of a call of the engine. */
  readonly batchSize: number;
  readonly rows: number;
  readonly loss: Loss;
  readonly random: Generator;
  /** The memory beside the parameters. */
  readonly block: number;
  readonly blockBytes: number;
  readonly ownsArena: boolean;
  readonly engine: Engine;
  readonly criterion: Criterion;
  readonly input: InputBuffer;
  readonly result: RowViews;
  /** Gradients of the result and of the input. */
  readonly delta: RowViews;
  readonly inputGradient: RowViews;
}

export function build(
  inputShape: Shape,
  layers: readonly Layer[],
  options: NetworkOptions,
  { owner, options: more, leastRows }: Variant,
): Built {
  const shape = list(wholeFrom(1), "an array of one or more whole numbers >= 1", undefined, 1).read(
    owner,
    "inputShape",
    inputShape,
  );
  const settings = readOptions(owner, options, more);
  const { init, batchSize, seed, inputScale, skipZeros, nnModule } = settings;
  const rows = Math.max(batchSize, leastRows);
  const setting = { owner, rows, skipZeros, seed, threads: threadsOf(options) };
  const program = new Program(setting, shape, layers);

  const { parameters, output, result, delta, spans } = program;
  const [inputs, outputs] = [sizeOf(shape), sizeOf(output)];
  const bytes = planMemory(spans);
  const parameterBytes = bytesOf(program);
  const room = MAX_CAPACITY - RESERVED - 2 * parameterBytes;
  if (bytes > room && room > 0)
    throw new RangeError(
      `${owner}: a batch of ${rows} rows needs ${bytes} bytes, an arena has at most ${room} for it: lower "batchSize"`,
    );
  const arena = arenaFor(owner, options, parameterBytes, bytes);
  const shapes = parameters.map((tensor) => [tensor.name, tensor.shape] as const);
  const params = new ParameterDict(Object.fromEntries(shapes), { arena });
  let block: number;
  try {
    block = arena.allocate(bytes, owner, `a batch of ${rows} rows ("batchSize")`);
  } catch (error) {
    params.dispose();
    throw error;
  }
  for (const span of spans) span.at += block;
  const random = new Generator(seed);
  for (const { name, start } of parameters) fill(init, random, start, params.data[name]);

  const { buffer } = arena;
  const kernels = networkKernels(arena, nnModule);
  const [first] = program.nodes;
  const place = [arena, kernels, { size: inputs, owner: first.owner, scale: inputScale }, rows, program.input] as const;
  return {
    owner,
    program,
    params,
    inputShape: shape,
    inputs,
    outputs,
    batchSize,
    rows,
    loss: settings.loss,
    random,
    block,
    blockBytes: bytes,
    ownsArena: options.arena === undefined,
    engine: new Engine(arena, kernels, program, params.tensors(owner)),
    criterion: new Criterion(arena, kernels, settings, program, rows),
    input: first.plan.input?.(...place) ?? new InputBuffer(...place),
    result: rowViews(buffer, result.at, outputs),
    delta: rowViews(buffer, delta.at, outputs),
    inputGradient: rowViews(buffer, first.dx.at, inputs),
  };
}
