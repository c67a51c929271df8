// Plain JavaScript: the loops of bench/loops.ts, and a network in the same manner.
import * as loops from "../../loops.ts";
import { BATCH, type Contender, type Net, type Rule, type Start, largest, sizes } from "../contender.ts";
import { filled, streams } from "../fill.ts";

const rules: Record<Rule, { run: loops.Loop; slots: number }> = {
  adam: { run: loops.adam, slots: 2 },
  adamw: { run: loops.adamw, slots: 2 },
  sgd: { run: loops.sgd, slots: 0 },
  momentum: { run: loops.momentum, slots: 1 },
};

export const loop: Contender = {
  steps(rule, { count, length }) {
    const { run, slots } = rules[rule];
    const tensors = Array.from({ length: count }, (_, i) => ({
      p: filled(length, streams(i).p),
      g: filled(length, streams(i).g),
      slots: Array.from({ length: slots }, () => new Float32Array(length)),
    }));
    let t = 0;
    return {
      step() {
        t++;
        for (const tensor of tensors) run(tensor.p, tensor.g, tensor.slots, t);
      },
      values: () => tensors[0].p.slice(0, 16),
      dispose: () => tensors.splice(0),
    };
  },
  net,
};

const [inputs, hidden, outputs] = sizes;

function net(start: Start): Net {
  const params = [start.w1, start.b1, start.w2, start.b2];
  const [w1, b1, w2, b2] = params;
  const grads = params.map((p) => new Float32Array(p.length));
  const slots = params.map((p) => [new Float32Array(p.length), new Float32Array(p.length)]);
  const h = new Float32Array(BATCH * hidden);
  const dh = new Float32Array(BATCH * hidden);
  const z = new Float32Array(BATCH * outputs);
  let t = 0;
  return {
    train(x, y) {
      layer(x, w1, b1, h, inputs);
      for (let i = 0; i < h.length; i++) if (h[i] < 0) h[i] = 0;
      layer(h, w2, b2, z, hidden);
      lossGradient(z, y);
      for (const grad of grads) grad.fill(0);
      weightGradient(z, h, grads[2], grads[3]);
      inputGradient(z, w2, dh);
      for (let i = 0; i < h.length; i++) if (h[i] === 0) dh[i] = 0;
      weightGradient(dh, x, grads[0], grads[1]);
      t++;
      params.forEach((p, i) => loops.adam(p, grads[i], slots[i], t));
    },
    predict(x, rows) {
      const [hidden1, logits] = [new Float32Array(rows * hidden), new Float32Array(rows * outputs)];
      layer(x, w1, b1, hidden1, inputs);
      for (let i = 0; i < hidden1.length; i++) if (hidden1[i] < 0) hidden1[i] = 0;
      layer(hidden1, w2, b2, logits, hidden);
      return largest(logits, outputs);
    },
  };
}

/** y = x wᵀ + b. Four sums at a time: one sum alone would wait for its own additions. */
function layer(x: Float32Array, w: Float32Array, b: Float32Array, y: Float32Array, width: number): void {
  const out = b.length;
  for (let row = 0, at = 0; row * width < x.length; row++) {
    for (let j = 0; j < out; j++, at++) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let k = 0, i = row * width, o = j * width; k < width; k += 4, i += 4, o += 4) {
        s0 += x[i] * w[o];
        s1 += x[i + 1] * w[o + 1];
        s2 += x[i + 2] * w[o + 2];
        s3 += x[i + 3] * w[o + 3];
      }
      y[at] = b[j] + (s0 + s1 + (s2 + s3));
    }
  }
}

/** Turns logits into the gradient of the mean cross-entropy. */
function lossGradient(z: Float32Array, y: Uint8Array): void {
  for (let row = 0; row < y.length; row++) {
    const at = row * outputs;
    let most = -Infinity;
    for (let j = 0; j < outputs; j++) most = Math.max(most, z[at + j]);
    let sum = 0;
    for (let j = 0; j < outputs; j++) sum += z[at + j] = Math.exp(z[at + j] - most);
    for (let j = 0; j < outputs; j++) z[at + j] = (z[at + j] / sum - (j === y[row] ? 1 : 0)) / y.length;
  }
}

/** dw += dyᵀ x, db += the sum of dy's rows. */
function weightGradient(dy: Float32Array, x: Float32Array, dw: Float32Array, db: Float32Array): void {
  const out = db.length;
  const width = dw.length / out;
  for (let row = 0; row * out < dy.length; row++)
    for (let j = 0; j < out; j++) {
      const d = dy[row * out + j];
      if (d === 0) continue; // half of a ReLU's
      db[j] += d;
      for (let k = 0, o = j * width, i = row * width; k < width; k++) dw[o + k] += d * x[i + k];
    }
}

/** dx = dy w. */
function inputGradient(dy: Float32Array, w: Float32Array, dx: Float32Array): void {
  dx.fill(0);
  for (let row = 0; row * outputs < dy.length; row++)
    for (let j = 0; j < outputs; j++) {
      const d = dy[row * outputs + j];
      for (let k = 0, o = j * hidden, i = row * hidden; k < hidden; k++) dx[i + k] += d * w[o + k];
    }
}
