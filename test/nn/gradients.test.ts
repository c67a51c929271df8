// Compares gradients with central differences of a textbook model in float64.
import { describe, expect, it } from "vitest";
import { type Activation, type Loss, MLP } from "../../src/nn/index.js";
import { numbers } from "./field.js";

const activations: Record<Activation, (x: number) => number> = {
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  gelu: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

const mean = (z: number[], target: readonly number[], of: (d: number) => number): number =>
  z.reduce((sum, x, j) => sum + of(x - target[j]), 0) / z.length;

const losses: Record<Loss, (z: number[], target: number | readonly number[]) => number> = {
  "cross-entropy": (z, label) => Math.log(z.reduce((sum, x) => sum + Math.exp(x), 0)) - z[label as number],
  huber: (z, target) => mean(z, target as number[], (d) => (Math.abs(d) > 1 ? Math.abs(d) - 0.5 : d ** 2 / 2)),
  "binary-cross-entropy": (z, target) =>
    z.reduce((sum, x, j) => sum + Math.log(1 + Math.exp(x)) - x * (target as number[])[j], 0) / z.length,
  mse: (z, target) => mean(z, target as number[], (d) => d ** 2),
};

/** The outputs of one row; `theta` holds weight, bias, weight, bias, … */
function outputs(
  sizes: readonly number[],
  theta: readonly Float64Array[],
  x: readonly number[],
  activation: Activation,
): number[] {
  let y = [...x];
  for (let layer = 0; layer < sizes.length - 1; layer++) {
    const [weight, bias] = theta.slice(2 * layer, 2 * layer + 2);
    const z = Array.from(bias, (b, j) => y.reduce((sum, v, k) => sum + v * weight[j * y.length + k], b));
    y = layer < sizes.length - 2 ? z.map(activations[activation]) : z;
  }
  return y;
}

const shapes = [
  [5, 3],
  [5, 7, 3],
  [4, 8, 8, 4],
  [1, 1, 2],
  [3, 9, 5, 6, 2],
];

describe.each(Object.keys(activations) as Activation[])("%s", (activation) => {
  describe.each(Object.keys(losses) as Loss[])("%s", (loss) => {
    it.each(shapes.flatMap((sizes) => [1, 6].map((rows) => [sizes, rows] as const)))("%j, %i rows", (sizes, rows) => {
      const [inputs, classes] = [sizes[0], sizes[sizes.length - 1]];
      using mlp = new MLP(sizes, { activation, loss, seed: 5, batchSize: 6 });
      const x = numbers(rows * inputs, 1, 2);
      const labels = Array.from({ length: rows }, (_, i) => (i * 2 + 1) % classes);
      const targets = numbers(rows * classes, 2);
      const theta = mlp.params.names.map((name) => Float64Array.from(mlp.params.data[name]));
      const model = (): number => {
        let sum = 0;
        for (let i = 0; i < rows; i++) {
          const z = outputs(sizes, theta, [...x.subarray(i * inputs, (i + 1) * inputs)], activation);
          sum += losses[loss](
            z,
            loss === "cross-entropy" ? labels[i] : [...targets.subarray(i * classes, (i + 1) * classes)],
          );
        }
        return sum / rows;
      };

      const value = mlp.trainBatch(x, loss === "cross-entropy" ? labels : targets);
      expect(Math.abs(value - model())).toBeLessThan(2e-6 * (1 + value));
      mlp.params.names.forEach((name, t) => {
        const size = Math.max(...theta[t].keys()) + 1;
        for (let i = 0; i < size; i++) {
          const [kept, h] = [theta[t][i], 1e-5];
          theta[t][i] = kept + h;
          const above = model();
          theta[t][i] = kept - h;
          const slope = (above - model()) / (2 * h);
          theta[t][i] = kept;
          expect(Math.abs(mlp.params.grad[name][i] - slope), `${name}[${i}]`).toBeLessThan(
            2e-6 * (1 + Math.abs(slope)),
          );
        }
      });
    });
  });
});
