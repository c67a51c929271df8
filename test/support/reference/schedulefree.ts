// Plain loops of the schedule-free rules, and the numbers that a group shares.
import { type Plain, type Settled, type Update, ema, f, gradientOf, power, root } from "./common.js";

type Shared = Record<string, number>;

export const shared = {
  start: (): Shared => ({ k: 0, weightSum: 0, lrMax: -1, scheduledLr: 0, share: 0 }),
  advance(o: Settled, s: Shared): void {
    s.k++;
    s.scheduledLr = o.lr * Math.min(1, o.warmupSteps === 0 ? 1 : s.k / o.warmupSteps);
    s.lrMax = Math.max(s.lrMax, s.scheduledLr);
    const weight = Math.pow(s.k, o.r) * Math.pow(s.lrMax, o.weightLrPower);
    s.weightSum += weight;
    s.share = s.weightSum === 0 ? 0 : weight / s.weightSum;
  },
};

function moveBoth(
  { p, slots, shared: { share, scheduledLr: lr } }: Plain,
  beta: number,
  u: (i: number) => number,
): void {
  const { z } = slots;
  const [c1, a, l] = [f(share), f(lr * (1 - beta * (1 - share))), f(lr)];
  for (let i = 0; i < p.length; i++) {
    const y = u(i);
    p[i] = f(p[i] - f(f(a * y) - f(c1 * f(z[i] - p[i]))));
    z[i] = f(z[i] - f(l * y));
  }
}

export const scheduleFreeSGD: Update = (tensor, o, _, gradScale) =>
  moveBoth(tensor, o.momentum, gradientOf(tensor, o, gradScale, f(o.weightDecay)));

export const scheduleFreeAdamW: Update = (tensor, o, _, gradScale) => {
  const { p, slots, shared: numbers } = tensor;
  const { expAvgSq: v } = slots;
  const [beta1, beta2] = o.betas;
  const [b2, a2, e, wd] = [f(beta2), f(1 - beta2), f(o.eps), f(o.weightDecay)];
  const k = f(1 / Math.sqrt(1 - power(beta2, numbers.k)));
  const gradient = gradientOf(tensor, o, gradScale, 0);
  moveBoth(tensor, beta1, (i) => {
    const x = gradient(i);
    v[i] = ema(b2, v[i], a2, f(x * x));
    const u = f(x / f(f(root(v[i]) * k) + e));
    return wd === 0 ? u : f(u + f(wd * p[i]));
  });
};
