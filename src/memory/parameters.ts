/// <reference lib="esnext.disposable" preserve="true" />
// Named tensors and their gradients in an arena.
import { type Arena, padded } from "./arena.js";
import { clip, lookUp, nameList, optionsOf, record, usedAfterDispose, wrongType, wrongValue } from "../util/check.js";
import { type Description, describe } from "../util/describe.js";
import { type MemoryOptions, arenaFor, memoryOptions } from "./memory-options.js";
import type { Shape, Tensor, Values, Vector } from "./tensor.js";
import { checkValues, countOf, owned, refuseApplied, shapeSize } from "./tensor.js";

/** What a dictionary and its subsets share. */
interface Shared {
  readonly arena: Arena;
  readonly address: number;
  readonly ownsArena: boolean;
  alive: boolean;
}

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

  readonly #shared: Shared;
  readonly #tensors: ReadonlyMap<Name, Tensor>;
  readonly #isSubset: boolean;
  readonly #data: Readonly<Record<Name, Vector>>;
  readonly #grad: Readonly<Record<Name, Vector>>;
  readonly #shapes: Readonly<Record<Name, Shape>>;
  readonly #names: readonly Name[];

  /** Shapes by name, such as `{ weight: [10, 4], bias: [10] }`: arrays of whole numbers >= 0. */
  constructor(shapes: Readonly<Record<Name, Shape>>, options?: MemoryOptions);
  /** @internal */
  constructor(subset: Subset<Name>);
  constructor(source: Readonly<Record<Name, Shape>> | Subset<Name>, options: MemoryOptions = {}) {
    const { shared, tensors } = source instanceof Subset ? source : allocateTensors<Name>(source, options);
    this.#shared = shared;
    this.#tensors = tensors;
    this.#isSubset = source instanceof Subset;
    this.#names = Object.freeze([...this.#tensors.keys()]);
    this.#data = byName(this.#tensors, (tensor) => tensor.data);
    this.#grad = byName(this.#tensors, (tensor) => tensor.grad);
    this.#shapes = byName(this.#tensors, (tensor) => tensor.shape);
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
    const shapes: [string, Shape][] = [];
    const values: [string, Values][] = [];
    for (const [name, entry] of Object.entries(record(OWNER, "tensors", tensors))) {
      const { shape, data } = record(OWNER, `tensors.${name}`, entry);
      const size = shapeSize(OWNER, shape, `tensors.${name}.shape`);
      shapes.push([name, shape as Shape]);
      values.push([name, checkValues(OWNER, data, size, `tensors.${name}.data`)]);
    }
    const params = new this<Name>(Object.fromEntries(shapes) as Record<Name, Shape>, options);
    for (const [name, data] of values) params.#data[name as Name].set(data);
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
      checked.push([
        tensor,
        "buffer" in source && source.buffer === this.#shared.arena.buffer ? Array.from(source) : source,
      ]);
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
    nameList(OWNER, "names", names).forEach((name, i) => {
      if (chosen.has(name as Chosen)) throw wrongValue(OWNER, `names[${i}]`, "each name once", name);
      chosen.set(name as Chosen, this.tensor(OWNER, `names[${i}]`, name));
    });
    return new ParameterDict<Chosen>(new Subset(this.#shared, chosen));
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
    const { arena, address, ownsArena, alive } = this.#shared;
    if (this.#isSubset || !alive) return;
    for (const tensor of this.#tensors.values())
      if (tensor.owner !== undefined && arena.alive) throw new Error(owned(OWNER, tensor));
    for (const tensor of this.#tensors.values()) tensor.applied = undefined;
    this.#shared.alive = false;
    if (ownsArena) arena.dispose();
    else arena.release(address);
  }

  /** @internal */
  get arena(): Arena {
    return this.#shared.arena;
  }

  /** @internal */
  check(owner: string): void {
    if (!this.#shared.alive || !this.#shared.arena.alive) throw usedAfterDispose(owner);
  }

  /** @internal The tensors in order. */
  tensors(owner: string): readonly Tensor[] {
    this.check(owner);
    return [...this.#tensors.values()];
  }

  /** @internal The tensor that the user named in `option`. */
  tensor(owner: string, option: string, name: string): Tensor {
    return lookUp(owner, option, this.#tensors, name, "");
  }
}
describe(
  ParameterDict<string>,
  (params: ParameterDict) => describeDict(OWNER, params),
  "parameters,named_parameters=data state_dict,stateDict,clone=copy() load_state_dict,loadStateDict=assign() zero_grad",
);

/** @internal The names, shapes and first values; as JSON the shapes, from which another dictionary can be made. */
export function describeDict(name: string, params: ParameterDict): Description {
  const tensors = params.tensors(name);
  const lines = tensors.slice(0, MOST_SHOWN).map(({ name, shape, data }) => {
    const first = Array.from(data.subarray(0, 4), (x) => String(Number(x.toPrecision(4))));
    return `${clip(name, 60)} [${shape.join(", ")}]: ${[...first, ...(data.length > 4 ? ["…"] : [])].join(", ")}`;
  });
  if (tensors.length > MOST_SHOWN) lines.push(`… ${tensors.length - MOST_SHOWN} more`);
  return [name, countOf(tensors), params.shapes, lines];
}

class Subset<Name extends string> {
  constructor(
    readonly shared: Shared,
    readonly tensors: ReadonlyMap<Name, Tensor>,
  ) {}
}

/** Takes memory for all values, then all gradients, each tensor aligned and zeroed. */
function allocateTensors<Name extends string>(
  shapes: Readonly<Record<Name, Shape>>,
  options: MemoryOptions,
): { shared: Shared; tensors: Map<Name, Tensor> } {
  optionsOf(OWNER, options, memoryOptions);
  const sizes = Object.entries(record(OWNER, "shapes", shapes)).map(
    ([name, shape]) => [name as Name, shape as Shape, shapeSize(OWNER, shape, `shapes.${name}`)] as const,
  );
  const bytes = sizes.reduce((sum, [, , size]) => sum + padded(size), 0);
  const arena = arenaFor(OWNER, options, bytes);
  const [data, grad] = arena.allocateApart([bytes, bytes], OWNER, "the tensors");

  const tensors = new Map<Name, Tensor>();
  let offset = 0;
  for (const [name, shape, size] of sizes) {
    tensors.set(name, {
      name,
      shape: Object.freeze([...shape]),
      size,
      dataAt: data + offset,
      gradAt: grad + offset,
      bytes: padded(size),
      data: new Float32Array(arena.buffer, data + offset, size),
      grad: new Float32Array(arena.buffer, grad + offset, size),
      owner: undefined,
      applied: undefined,
    });
    offset += padded(size);
  }
  return { shared: { arena, address: data, ownsArena: options.arena === undefined, alive: true }, tensors };
}

/** Throws unless a value is a ParameterDict; the message suggests what was probably meant. */
export function checkDict(owner: string, name: string, value: unknown): asserts value is ParameterDict {
  if (value instanceof ParameterDict) return;
  const error = wrongType(owner, name, "a ParameterDict", value);
  const { params, constructor } = Object(value) as { params?: unknown; constructor?: { name?: string } };
  const { name: kind } = constructor ?? {};
  if (params instanceof ParameterDict) error.message += `: pass ${kind === "MLP" ? "mlp.params" : "its params"}`;
  else if (kind === "ParameterDict") error.message += " of another copy of gradstep";
  else if (Array.isArray(value) || ["Number", "Object"].includes(kind ?? ""))
    error.message += ": make one with new ParameterDict({ name: shape })";
  throw error;
}

function byName<Name extends string, T>(
  tensors: ReadonlyMap<Name, Tensor>,
  pick: (tensor: Tensor) => T,
): Readonly<Record<Name, T>> {
  const result = Object.create(null) as Record<Name, T>;
  for (const [name, tensor] of tensors) result[name] = pick(tensor);
  return Object.freeze(result);
}
