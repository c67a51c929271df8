import { ParameterDict } from "../../src/index.js";

/** Σ 100(x′ − x²)² + (1 − x)² over neighbours in all tensors as one vector, in float64; fills the gradients. */
export function rosenbrock(params: ParameterDict): () => number {
  return () => {
    const x = params.names.flatMap((name) => [...params.data[name]]);
    const g = x.map(() => 0);
    let loss = 0;
    for (let i = 0; i + 1 < x.length; i++) {
      const [a, b] = [1 - x[i], x[i + 1] - x[i] * x[i]];
      loss += a * a + 100 * b * b;
      g[i] += -2 * a - 400 * x[i] * b;
      g[i + 1] += 200 * b;
    }
    let at = 0;
    for (const name of params.names) {
      params.grad[name].set(g.slice(at, at + params.grad[name].length));
      at += params.grad[name].length;
    }
    return loss;
  };
}

/** A ParameterDict with these values, in one tensor or several. */
export const from = (
  x: number[],
  shapes: Record<string, number[]> = { x: [x.length] },
  options = {},
): ParameterDict => {
  const params = new ParameterDict(shapes, options);
  let at = 0;
  for (const name of params.names) {
    params.data[name].set(x.slice(at, at + params.data[name].length));
    at += params.data[name].length;
  }
  return params;
};
/** Options of LBFGS. */
export const wolfe = { historySize: 10, lineSearch: "strong-wolfe" } as const;
export const ten = Array.from({ length: 10 }, () => -1.2);
