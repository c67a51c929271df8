// Gradients by central differences, to check gradients of one's own.
import { number, optionsOf, wrongType } from "../util/check.js";
import { type ParameterDict, checkDict } from "../memory/parameters.js";
import { type Vector, refuseApplied } from "../memory/tensor.js";

/** Options of {@link numericalGradient}. */
export interface NumericalGradientOptions {
  /** How far each parameter θ is moved, times max(1, |θ|); a number in (0, 1]. Default 1e-3. */
  eps?: number | undefined;
}

const OWNER = "numericalGradient";
const epsKind = number("a number in (0, 1]", (x) => x > 0 && x <= 1);

/**
 * The gradient of a loss by central differences, (L(θ + h) − L(θ − h))/2h for one element after another: slow, and right to
 * about three digits, to check gradients of one's own. `data` and `grad` are left as they were.
 *
 * @param params The parameters: a dictionary, or a subset to check some of it.
 * @param loss Returns the loss at the present values of `params.data`: called twice per element, and always the same for the
 * same values (no dropout). It may write `params.grad`.
 * @param options Default: `{ eps: 1e-3 }`. A loss in float32 wants no less; one in float64 may take 1e-4.
 * @returns A gradient per tensor by name, each row-major and owned.
 * @throws TypeError, RangeError for a wrong argument or a loss that is not a number; whatever the loss throws; Error while an
 * average is applied to one of the tensors. The parameters are restored then.
 * @example
 * const expected = numericalGradient(params, () => lossAndGradients(params));
 * lossAndGradients(params); // fills params.grad
 * console.log(params.grad.w, expected.w);
 */
export function numericalGradient<Name extends string>(
  params: ParameterDict<Name>,
  loss: () => number,
  options: NumericalGradientOptions = {},
): Record<Name, Vector> {
  checkDict(OWNER, "params", params);
  const dict: ParameterDict = params;
  const tensors = dict.tensors(OWNER);
  if (typeof loss !== "function") throw wrongType(OWNER, "loss", "a function that returns the loss", loss);
  const given = optionsOf(OWNER, options, ["eps"], { aliases: "eps=h,delta" });
  const eps = given.eps === undefined ? 1e-3 : epsKind.read(OWNER, "eps", given.eps);
  refuseApplied(OWNER, tensors);

  const gradients = tensors.map(({ grad }) => grad.slice());
  const at = (data: Vector, i: number, value: number): { moved: number; value: number } => {
    data[i] = value;
    const moved = data[i]; // as float32 has it
    const result: unknown = loss();
    if (typeof result !== "number") throw wrongType(OWNER, "loss()", "a number, the loss", result);
    return { moved, value: result };
  };
  try {
    const entries = tensors.map(({ name, data }) => {
      const gradient = new Float32Array(data.length);
      for (let i = 0; i < data.length; i++) {
        const start = data[i];
        const h = eps * Math.max(1, Math.abs(start));
        try {
          const high = at(data, i, start + h);
          const low = at(data, i, start - h);
          gradient[i] = (high.value - low.value) / (high.moved - low.moved);
        } finally {
          data[i] = start;
        }
      }
      return [name, gradient];
    });
    return Object.fromEntries(entries) as Record<Name, Vector>;
  } finally {
    tensors.forEach(({ grad }, i) => grad.set(gradients[i]));
  }
}
