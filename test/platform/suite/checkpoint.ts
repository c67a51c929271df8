import { load, save } from "../../../src/checkpoint/index.js";
import { type AverageState, ParameterDict, WeightEma } from "../../../src/index.js";
import { fillGradient, firstDifference, random, shapesOf } from "../../support/harness.js";
import { type Row, make } from "../../rules/table.js";

const SHAPES = { "0.weight": 30, "ü😀": 5, empty: 0 };

/** Saves a run half way, goes on with it and with one loaded from the file, and throws unless they have the same bits. */
export function checkRoundTrip(row: Row): void {
  const begin = (params = new ParameterDict(shapesOf(row, SHAPES))) => ({
    params,
    optimizer: make(row.rule, params, row.variants[0]),
    ema: new WeightEma(params),
  });
  const train = ({ params, optimizer, ema }: ReturnType<typeof begin>, seed: number): void => {
    const next = random(seed);
    for (let t = 0; t < 5; t++) {
      for (const name of params.names) fillGradient(params.grad[name], next);
      optimizer.step();
      ema.update();
    }
  };

  const [first, second] = [begin(), begin()];
  for (const name of first.params.names) first.params.data[name].fill(0.5);
  train(first, 1);
  const bytes = save(first.params, { optimizers: [first.optimizer], extra: { ema: first.ema.stateDict() } });
  const { extra } = load(bytes, second.params, { optimizers: [second.optimizer] });
  second.ema.loadStateDict(extra.ema as AverageState);
  train(first, 2);
  train(second, 2);

  for (const name of first.params.names) {
    const [a, b] = [first, second].map(({ params, optimizer, ema }) => ({
      value: params.data[name],
      ema: ema.values[name],
      ...optimizer.state(name),
    })) as Record<string, Float32Array | number>[];
    if (Object.keys(a).join() !== Object.keys(b).join()) throw new Error(`state of ${Object.keys(b).join()}`);
    for (const [what, x] of Object.entries(a)) {
      const y = b[what];
      const same = typeof x === "number" || typeof y === "number" ? Object.is(x, y) : firstDifference(x, y) === -1;
      if (!same) throw new Error(`${what} of ${name} differs: ${String(x)} and ${String(y)}`);
    }
  }
}

/** A file with one bit changed, or cut off, is refused; the tensors are as they were. */
export function checkDamage(): void {
  const params = new ParameterDict({ w: [3] });
  params.data.w.fill(1);
  const bytes = save(params);
  for (const damaged of [bytes.map((b, i) => (i === bytes.length - 1 ? b ^ 1 : b)), bytes.slice(0, -1)]) {
    let message = "";
    try {
      load(damaged, params);
    } catch (error) {
      message = String(error);
    }
    if (!message.includes("load: ")) throw new Error(`damaged file: "${message}"`);
    if (params.data.w.some((x) => x !== 1)) throw new Error("a damaged file changed the tensors");
  }
}
