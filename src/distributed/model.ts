// What a run trains: the parameters of a dictionary or a network, and its buffers, as lists of numbers in a fixed order.
import type { ParameterDict } from "../memory/parameters.js";
import { type Saveable, type Saved, belongings } from "../memory/saved.js";
import type { Shape, Vector } from "../memory/tensor.js";
import { record, wrongType, wrongValue } from "../util/check.js";

/** Shapes of parameters and lengths of buffers, by name. */
export interface Form {
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly buffers: Readonly<Record<string, number>>;
}

/** The parameters and buffers of a coordinator or a worker. */
export class Model {
  readonly form: Form;
  readonly numel: number;
  readonly bufferCount: number;

  private constructor(
    readonly params: ParameterDict,
    readonly buffers: Readonly<Record<string, Vector>>,
    /** What draws dropout's random numbers, where the parameters are a network's. */
    readonly network: Saved | undefined,
    /** What a checkpoint saves and loads. */
    readonly saveable: ParameterDict | Saveable,
    /** Whether the user named the buffers. */
    readonly named: boolean,
  ) {
    this.form = {
      shapes: params.shapes,
      buffers: Object.fromEntries(Object.entries(buffers).map(([name, { length }]) => [name, length])),
    };
    this.numel = params.numel;
    this.bufferCount = Object.values(buffers).reduce((sum, { length }) => sum + length, 0);
  }

  /** Reads the options `params` and `buffers`. */
  static read(owner: string, params: unknown, buffers: unknown): Model {
    const dict = isDict(params) ? params : (Object(params) as { params?: unknown }).params;
    if (!isDict(dict)) throw wrongType(owner, "params", "a ParameterDict, a Network or an MLP", params);
    dict.check(owner);
    if (dict.numel === 0) throw wrongValue(owner, "params", "at least one parameter", params);
    const whole = belongings.get(dict);
    const known = Object.fromEntries((whole?.saved?.buffers ?? []).map(({ name, data }) => [name, data]));
    const given: Record<string, Vector> = {};
    if (buffers !== undefined)
      for (const [name, data] of Object.entries(record(owner, "buffers", buffers))) {
        if (Object.prototype.toString.call(data) !== "[object Float32Array]")
          throw wrongType(owner, `buffers.${name}`, "a Float32Array", data);
        given[name] = data as Vector;
      }
    return new Model(dict, buffers === undefined ? known : given, whole?.saved, whole ?? dict, buffers !== undefined);
  }

  /** Writes all parameters, in order. */
  gather(to: Float32Array): void {
    let at = 0;
    for (const { data } of this.params.tensors("gradstep")) {
      to.set(data, at);
      at += data.length;
    }
  }

  /** Reads all parameters, or with "grad" their gradients, in order. */
  scatter(from: Float32Array, kind: "data" | "grad" = "data"): void {
    let at = 0;
    for (const tensor of this.params.tensors("gradstep")) {
      tensor[kind].set(from.subarray(at, at + tensor.size));
      at += tensor.size;
    }
  }

  /** The numbers of the buffers that `form` names, in its order. */
  gatherBuffers(form: Form): Float32Array {
    const numbers = new Float32Array(countOfBuffers(form));
    let at = 0;
    for (const [name, length] of Object.entries(form.buffers)) {
      numbers.set(this.buffers[name], at);
      at += length;
    }
    return numbers;
  }

  scatterBuffers(form: Form, numbers: Float32Array): void {
    let at = 0;
    for (const [name, length] of Object.entries(form.buffers)) {
      this.buffers[name].set(numbers.subarray(at, at + length));
      at += length;
    }
  }
}

export const countOfBuffers = (form: Form): number => Object.values(form.buffers).reduce((sum, n) => sum + n, 0);

/** A worker's model must have what the run has; the message says what differs. */
export function checkForm(owner: string, run: string, theirs: Form, { form: ours, named }: Model): void {
  const differ = (what: string): never => {
    throw new RangeError(`${owner}: run ${JSON.stringify(run)} has ${what}`);
  };
  const text = (shape: Shape): string => `[${shape.join(", ")}]`;
  for (const [name, shape] of Object.entries(theirs.shapes)) {
    if (!Object.hasOwn(ours.shapes, name)) differ(`${name} of shape ${text(shape)}, yours has no such parameter`);
    if (text(ours.shapes[name]) !== text(shape))
      differ(`${name} of shape ${text(shape)}, yours is ${text(ours.shapes[name])}`);
  }
  for (const name of Object.keys(ours.shapes))
    if (!Object.hasOwn(theirs.shapes, name))
      differ(`no parameter ${name}, yours is of shape ${text(ours.shapes[name])}`);
  if (Object.keys(theirs.shapes).join() !== Object.keys(ours.shapes).join())
    differ("its parameters in another order than yours");
  for (const [name, length] of Object.entries(theirs.buffers))
    if (ours.buffers[name] !== length)
      differ(`buffer ${name} of ${length}, yours ${name in ours.buffers ? `is of ${ours.buffers[name]}` : "has none"}`);
  const more = Object.keys(ours.buffers).find((name) => named && !Object.hasOwn(theirs.buffers, name));
  if (more !== undefined) differ(`no buffer ${more}: give coordinate the same "buffers"`);
}

/** Without `instanceof`, so that a page that only joins does not load what makes dictionaries a second time. */
const isDict = (value: unknown): value is ParameterDict => {
  const { tensors, shapes } = Object(value) as Partial<ParameterDict>;
  return typeof tensors === "function" && typeof shapes === "object";
};
