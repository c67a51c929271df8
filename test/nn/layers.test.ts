// Compares every layer, with random shapes and options, with its plain loop in float64, and its gradients with the central
// differences of that loop: within 1e-5 of each tensor's largest element.
import { describe, expect, it, test } from "vitest";
import { Random } from "../../src/init/random.js";
import * as nn from "../../src/nn/index.js";
import { expectSameBits } from "./field.js";
import { type Case, table } from "./table.js";

const BOUND = 1e-5;
const H = 1e-5;

test("every layer that is exported has a row", () => {
  const functions = Object.entries(nn).filter(([name, value]) => typeof value === "function" && /^[a-z]/.test(name));
  expect(Object.keys(table).sort()).toEqual(functions.map(([name]) => name).sort());
});

function expectClose(got: ArrayLike<number>, wanted: Float64Array, what: string): void {
  expect(got.length, what).toBe(wanted.length);
  const largest = wanted.reduce((most, x) => Math.max(most, Math.abs(x)), 2 ** -10);
  wanted.forEach((x, i) => {
    if (!(Math.abs(got[i] - x) <= BOUND * largest)) expect(got[i], `${what}[${i}] of at most ${largest}`).toBe(x);
  });
}

const float = (random: Random): number => Math.fround(4 * random.uniform() - 2);

/** What a network of the one layer gives for the case: outputs and gradients. */
function run({ layer, input, evaluation }: Case, x: ArrayLike<number>, rows: number, random: Random, skipZeros = true) {
  const network = new nn.Network(input, [layer], { batchSize: rows, skipZeros });
  for (const values of Object.values(network.params.data)) values.forEach((_, i) => (values[i] = float(random)));
  const given = Array.from(x);
  const outputs = network.forward(given, { training: evaluation !== true }).slice();
  const gradOutput = outputs.map(() => float(random));
  const toInput = network.backward(gradOutput)?.slice();
  return { network, outputs, gradOutput, toInput };
}

function compare(one: Case, seed: number): void {
  const random = new Random(seed);
  const rows = 2 + random.below(3);
  const count = rows * one.input.reduce((a, b) => a * b, 1);
  const x = Float64Array.from({ length: count }, () => (one.tokens ? random.below(one.tokens) : float(random)));
  const { network, outputs, gradOutput, toInput } = run(one, x, rows, random);
  const params = Object.fromEntries(
    network.params.names.map((name) => [name.slice(2), Float64Array.from(network.params.data[name])]),
  );
  const weighed = (): number => one.plain(x, params, rows).reduce((sum, y, i) => sum + y * gradOutput[i], 0);
  const slopes = (values: Float64Array): Float64Array =>
    values.map((v, i) => {
      values[i] = v + H;
      const above = weighed();
      values[i] = v - H;
      const below = weighed();
      values[i] = v;
      return (above - below) / (2 * H);
    });
  expectClose(outputs, one.plain(x, params, rows), "outputs");
  for (const name of network.params.names)
    expectClose(network.params.grad[name], slopes(params[name.slice(2)]), `gradient of ${name}`);
  if (one.tokens) expect(toInput).toBe(undefined);
  else expectClose(toInput!, slopes(x), "gradient of x");
}

describe.each(Object.entries(table))("%s", (name, draw) => {
  it.each([1, 2, 3, 4, 5])("computes what its plain loop does: %i", (seed) => {
    compare(draw(new Random(seed)), 100 + seed);
  });

  it("has the same bits with and without the path for many zeros", () => {
    for (let seed = 1; seed < 4; seed++) {
      const one = draw(new Random(seed));
      const zeros = new Random(seed);
      const x = Array.from({ length: 4 * one.input.reduce((a, b) => a * b, 1) }, () =>
        one.tokens ? zeros.below(one.tokens) : zeros.below(10) < 8 ? 0 : float(zeros),
      );
      const [a, b] = [true, false].map((skip) => run(one, x, 4, new Random(7), skip));
      expectSameBits(a.outputs, b.outputs, "outputs");
      if (a.toInput) expectSameBits(a.toInput, b.toInput!, "gradient of x");
      for (const tensor of a.network.params.names)
        expectSameBits(a.network.params.grad[tensor], b.network.params.grad[tensor], tensor);
    }
  });

  it("is in the summary by its name, and ends with its network", () => {
    const { layer, input } = draw(new Random(3));
    const network = new nn.Network(input, [layer], { batchSize: 2 });
    expect(network.summary()).toContain(name);
    network.dispose();
    expect(() => network.forward([])).toThrow("Network: used after dispose()");
  });
});
