/// <reference lib="esnext.disposable" preserve="true" />
// Named tensors and their gradients in an arena.
import { type Arena, padded } from "./arena.js";
import {
  TENSOR_NAMES,
  array,
  clip,
  lookUp,
  optionsOf,
  record,
  usedAfterDispose,
  wrongType,
  wrongValue,
} from "../util/check.js";
import { type Description, describe } from "../util/describe.js";
import { type MemoryOptions, arenaFor, memoryOptions } from "./memory-options.js";
import type { Shape, Tensor, Values, Vector } from "./tensor.js";
import { checkValues, countOf, owned, refuseApplied, shapeSize } from "./tensor.js";

const OWNER = "ParameterDict";
/** How many tensors the text of a dictionary shows. */
const MOST_SHOWN = 8;

/**
 * Named float32 tensors and a gradient for each, in one arena. `data[name]` and `grad[name]` are views: they never detach
 * and are always the same object. Values start at zero.
 *
 * `structuredClone` and `postMessage` give an empty object, since they copy only plain properties of an object's own: take
 * {@link ParameterDict#copy | copy()}. `JSON.stringify` gives the shapes, from which another dictionary can be made.
 *
 * @throws TypeError, RangeError when a shape or an option is wrong or the arena is too small; nothing is taken then.
 * @example
 * const params = new ParameterDict({ "fc1.weight": [128, 784], "fc1.bias": [128] });
 * params.data["fc1.weight"].fill(0.01);
 */
export class ParameterDict<Name extends string = string> {
  /** {@link dispose}, for `using`, where the platform has it. */
  declare [Symbol.dispose]: () => void;

  readonly #block: Block;
  readonly #tensors: ReadonlyMap<Name, Tensor>;
  readonly #data: Readonly<Record<Name, Vector>>;
  readonly #grad: Readonly<Record<Name, Vector>>;
  readonly #shapes: Readonly<Record<Name, Shape>>;
  readonly #names: readonly Name[];

  /** Shapes by name, such as `{ weight: [10, 4], bias: [10] }`: arrays of whole numbers >= 0. */
  constructor(shapes: Readonly<Record<Name, Shape>>, options?: MemoryOptions);
  /** @internal */
  constructor(block: Block, options: MemoryOptions, chosen: ReadonlyMap<Name, Tensor>);
  constructor(
    source: Readonly<Record<Name, Shape>> | Block,
    options: MemoryOptions = {},
    chosen?: ReadonlyMap<Name, Tensor>,
  ) {
    const block = source instanceof Block ? source : new Block(source, options);
    const tensors = (chosen ?? block.tensors) as ReadonlyMap<Name, Tensor>;
    this.#block = block;
    this.#tensors = tensors;
    this.#names = Object.freeze([...tensors.keys()]);
    this.#data = byName(tensors, "data");
    this.#grad = byName(tensors, "grad");
    this.#shapes = byName(tensors, "shape");
  }

  /**
   * Makes a dictionary with values: each tensor is `{ shape, data }`, `data` row-major and copied once.
   * @throws TypeError, RangeError as the constructor, and when a length does not fit its shape.
   * @example
   * const params = ParameterDict.from({ w: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } });
   */
  static from<Name extends string>(
    tensors: Readonly<Record<Name, { readonly shape: Shape; readonly data: Values }>>,
    options: MemoryOptions = {},
  ): ParameterDict<Name> {
    const entries = Object.entries(record(OWNER, "tensors", tensors)).map(([name, entry]) => {
      const { shape, data } = record(OWNER, `tensors.${name}`, entry);
      const size = shapeSize(OWNER, shape, `tensors.${name}.shape`);
      return [name as Name, shape as Shape, checkValues(OWNER, data, size, `tensors.${name}.data`)] as const;
    });
    const params = new this<Name>(Object.fromEntries(entries) as Record<Name, Shape>, options); // names and shapes
    for (const [name, , data] of entries) params.#data[name].set(data);
    return params;
  }

  /** The tensors' values by name: frozen, without a prototype; each a view, row-major. */
  get data(): Readonly<Record<Name, Vector>> {
    this.check(OWNER);
    return this.#data;
  }

  /** The gradients by name, each of its tensor's length. You fill them; an optimizer reads them. */
  get grad(): Readonly<Record<Name, Vector>> {
    this.check(OWNER);
    return this.#grad;
  }

  /** The shapes by name, frozen. */
  get shapes(): Readonly<Record<Name, Shape>> {
    this.check(OWNER);
    return this.#shapes;
  }

  /** The names in order, frozen. */
  get names(): readonly Name[] {
    this.check(OWNER);
    return this.#names;
  }

  /** Total number of elements, without padding. */
  get numel(): number {
    return countOf(this.tensors(OWNER)).parameters;
  }

  /**
   * Owned, tightly packed copies of the values, to store or to post (posting a view copies its whole arena).
   * @example
   * worker.postMessage(params.copy());
   */
  copy(): Record<Name, Vector> {
    return Object.fromEntries(this.tensors(OWNER).map((t) => [t.name, t.data.slice()])) as Record<Name, Vector>;
  }

  /**
   * Sets the values of some or all tensors, each row-major and of its tensor's length. All are checked before any is set.
   * @throws RangeError for an unknown name or a wrong length, TypeError unless values are arrays of numbers; Error while an
   * average is applied to one of the tensors, since its `restore()` would undo this.
   * @example
   * params.assign({ "fc1.bias": new Float32Array(128) });
   */
  assign(values: Readonly<Partial<Record<Name, Values>>>): void {
    this.check(OWNER);
    const checked: [Tensor, Values][] = [];
    for (const [name, value] of Object.entries(record(OWNER, "values", values))) {
      const tensor = this.tensor(OWNER, `values.${name}`, name);
      const source = checkValues(OWNER, value, tensor.size, `values.${name}`);
      // Setting one tensor must not change a source that is a view of another.
      checked.push([tensor, (source as Vector).buffer === this.arena.buffer ? Array.from(source) : source]);
    }
    refuseApplied(
      OWNER,
      checked.map(([tensor]) => tensor),
    );
    for (const [tensor, source] of checked) tensor.data.set(source);
  }

  /**
   * Some of the tensors as a dictionary: same arena, same views. Its `dispose()` frees nothing.
   * @throws RangeError for an unknown or repeated name.
   * @example
   * const biases = params.subset(["fc1.bias", "fc2.bias"]);
   */
  subset<Chosen extends Name>(names: readonly Chosen[]): ParameterDict<Chosen> {
    this.check(OWNER);
    const chosen = new Map<Chosen, Tensor>();
    Array.from(array(OWNER, "names", names, TENSOR_NAMES), (name, i) => {
      const option = `names[${i}]`;
      if (chosen.has(name as Chosen)) throw wrongValue(OWNER, option, "each name once", name);
      chosen.set(name as Chosen, this.tensor(OWNER, option, name));
    });
    return new ParameterDict<Chosen>(this.#block, {}, chosen);
  }

  /** Sets every gradient to 0. Momentum and weight decay still move such parameters; to leave them alone, `skip` them. */
  zeroGrad(): void {
    for (const tensor of this.tensors(OWNER)) tensor.grad.fill(0);
  }

  /**
   * Frees the tensors; later use of the dictionary or its subsets throws. Idempotent; does nothing on a subset.
   * @throws Error while a live optimizer owns one of the tensors.
   */
  dispose(): void {
    const { arena, address, ownsArena, alive, tensors } = this.#block;
    if (tensors !== this.#tensors || !alive) return;
    for (const tensor of tensors.values())
      if (tensor.owner !== undefined && arena.alive) throw new Error(owned(OWNER, tensor));
    for (const tensor of tensors.values()) tensor.applied = undefined;
    this.#block.alive = false;
    if (ownsArena) arena.dispose();
    else arena.release(address);
  }

  /** @internal */
  get arena(): Arena {
    return this.#block.arena;
  }

  /** @internal */
  check(owner: string): void {
    if (!this.#block.alive || !this.arena.alive) throw usedAfterDispose(owner);
  }

  /** @internal The tensors in order. */
  tensors(owner: string): readonly Tensor[] {
    this.check(owner);
    return [...this.#tensors.values()];
  }

  /** @internal The tensor that the user named in `option`. */
  tensor(owner: string, option: string, name: unknown): Tensor {
    return lookUp(owner, option, this.#tensors, name);
  }
}
describe(
  ParameterDict<string>,
  (params: ParameterDict) => describeDict(OWNER, params),
  "parameters,named_parameters=data state_dict,clone=copy() load_state_dict=assign() zero_grad",
);

/** @internal The names, shapes and first values; as JSON the shapes, from which another dictionary can be made. */
export function describeDict(name: string, params: ParameterDict): Description {
  const tensors = params.tensors(name);
  const lines = tensors.slice(0, MOST_SHOWN).map(({ name, shape, data }) => {
    const first = Array.from(data.subarray(0, 4), (x) => Number(x.toPrecision(4))).join(", ");
    return `${clip(name, 60)} [${shape.join(", ")}]: ${first}${data.length > 4 ? ", …" : ""}`;
  });
  if (tensors.length > MOST_SHOWN) lines.push(`… ${tensors.length - MOST_SHOWN} more`);
  return [name, countOf(tensors), params.shapes, lines];
}

/** The memory of a dictionary, which its subsets share: all values, then all gradients, each tensor aligned and zeroed. */
class Block {
  readonly arena: Arena;
  readonly address: number;
  readonly ownsArena: boolean;
  readonly tensors: ReadonlyMap<string, Tensor>;
  alive = true;

  constructor(shapes: Readonly<Record<string, Shape>>, options: MemoryOptions) {
    optionsOf(OWNER, options, memoryOptions);
    const sizes = Object.entries(record(OWNER, "shapes", shapes)).map(
      ([name, shape]) => [name, shape as Shape, shapeSize(OWNER, shape, `shapes.${name}`)] as const,
    );
    const bytes = sizes.reduce((sum, [, , size]) => sum + padded(size), 0);
    const arena = arenaFor(OWNER, options, bytes);
    let [dataAt, gradAt] = arena.allocateApart([bytes, bytes], OWNER, "the tensors");
    this.arena = arena;
    this.address = dataAt;
    this.ownsArena = options.arena === undefined;
    this.tensors = new Map(
      sizes.map(([name, shape, size]) => {
        const tensor: Tensor = {
          name,
          shape: Object.freeze([...shape]),
          size,
          dataAt,
          gradAt,
          bytes: padded(size),
          data: new Float32Array(arena.buffer, dataAt, size),
          grad: new Float32Array(arena.buffer, gradAt, size),
          owner: undefined,
          applied: undefined,
        };
        dataAt += tensor.bytes;
        gradAt += tensor.bytes;
        return [name, tensor];
      }),
    );
  }
}

/** Throws unless a value is a ParameterDict; the message suggests what was probably meant. */
export function checkDict(owner: string, name: string, value: unknown): asserts value is ParameterDict {
  if (value instanceof ParameterDict) return;
  const { params, constructor } = Object(value) as { params?: unknown; constructor?: { name?: unknown } };
  let hint = ": make one with new ParameterDict({ name: shape })";
  if (params instanceof ParameterDict) hint = `: pass ${constructor?.name === "MLP" ? "mlp.params" : "its params"}`;
  else if (constructor?.name === OWNER) hint = " of another copy of gradstep";
  throw wrongType(owner, name, "a ParameterDict", value, hint);
}

function byName<Name extends string, Key extends keyof Tensor>(
  tensors: ReadonlyMap<Name, Tensor>,
  key: Key,
): Readonly<Record<Name, Tensor[Key]>> {
  const result = Object.create(null) as Record<Name, Tensor[Key]>;
  for (const [name, tensor] of tensors) result[name] = tensor[key];
  return Object.freeze(result);
}
