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
import type { Layer } from "./layers/layer.js";
import { Criterion } from "./losses.js";
import { planMemory } from "./memory.js";
import { type NetworkOptions, type Settings, readOptions } from "./options.js";
import { type RowViews, rowViews } from "./row-views.js";

/** What a subclass of `Network` sets. */
export interface Variant {
  /** Begins every message. */
  readonly owner: string;
  /** Names of options that the subclass has read. Default: none. */
  readonly options?: readonly string[];
  /** `predict` and `evaluate` take at least this many rows at a time. Default 1. */
  readonly leastRows?: number;
}

/** The parts of a network. */
export interface Built extends Settings {
  readonly program: Program;
  readonly params: ParameterDict;
  /** Elements of a row of x, and of the outputs. */
  readonly inputShape: Shape;
  readonly inputs: number;
  readonly outputs: number;
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
  readonly outputGradient: RowViews;
  readonly inputGradient: RowViews;
}

export function build(
  inputShape: Shape,
  layers: readonly Layer[],
  options: NetworkOptions,
  { owner, options: more = [], leastRows = 1 }: Variant,
): Built {
  const shape = list(wholeFrom(1), "an array of one or more whole numbers >= 1", 1).read(
    owner,
    "inputShape",
    inputShape,
  );
  const read = readOptions(owner, options, more);
  const rows = Math.max(read.batchSize, leastRows);
  const settings: Settings = { ...read, owner, rows, threads: threadsOf(options) };
  const program = new Program(settings, shape, layers);

  const { parameters, inputs, outputs, result, delta, spans } = program;
  const bytes = planMemory(spans);
  const parameterBytes = bytesOf(program);
  const room = MAX_CAPACITY - RESERVED - 2 * parameterBytes;
  if (bytes > room && room > 0)
    throw new RangeError(
      `${owner}: a batch of ${rows} rows needs ${bytes} bytes, an arena has at most ${room} for it: lower "batchSize"`,
    );
  const arena = arenaFor(owner, options, parameterBytes, bytes);
  const shapes = parameters.map(({ name, shape }) => [name, shape] as const);
  const params = new ParameterDict(Object.fromEntries(shapes), { arena });
  let block: number;
  try {
    block = arena.allocate(bytes, owner, `a batch of ${rows} rows ("batchSize")`);
  } catch (error) {
    params.dispose();
    throw error;
  }
  for (const span of spans) span.at += block;
  const random = new Generator(read.seed);
  const tensors = params.tensors(owner);
  tensors.forEach(({ data }, i) => fill(read.init, random, parameters[i].start, data));

  const { buffer } = arena;
  const kernels = networkKernels(arena, read.nnModule);
  const [first] = program.nodes;
  const place = [arena, kernels, program, settings] as const;
  return {
    ...settings,
    program,
    params,
    inputShape: shape,
    inputs,
    outputs,
    random,
    block,
    blockBytes: bytes,
    ownsArena: options.arena === undefined,
    engine: new Engine(arena, kernels, program, tensors),
    criterion: new Criterion(arena, kernels, program, settings),
    input: first.plan.input?.(...place) ?? new InputBuffer(...place),
    result: rowViews(buffer, result.at, outputs),
    outputGradient: rowViews(buffer, delta.at, outputs),
    inputGradient: rowViews(buffer, first.dx.at, inputs),
  };
}
