// What a checkpoint keeps of an object that has parameters, such as a network, beside them.
import type { ParameterDict } from "./parameters.js";
import type { Shape, Vector } from "./tensor.js";

/** An object whose parameters, and what belongs to them, go into a checkpoint: a `Network` or an `MLP` of `gradstep/nn`. */
export interface Saveable {
  /** The parameters. */
  readonly params: ParameterDict;
  /** @internal */
  readonly saved?: Saved;
}

/** What is saved beside the parameters. */
export interface Saved {
  /** Tensors that no optimizer updates. */
  readonly buffers: readonly { readonly name: string; readonly shape: Shape; readonly data: Vector }[];
  /** Number of training forwards, by which random layers draw. */
  steps: number;
}

/** What the parameters belong to, such as a network, for code that is given the parameters alone. */
export const belongings: WeakMap<ParameterDict, Saveable> = /* @__PURE__ */ new WeakMap<ParameterDict, Saveable>();
