// jax-js has its optimizers in @jax-js/optax, which the registry does not have: these are its updates.
import { type Array as JaxArray, jit, numpy as np } from "@jax-js/jax";
import { type Rule, hyper } from "../contender.ts";

const { lr, sgdLr, momentum, beta1, beta2, eps, weightDecay } = hyper;

/** Numbers that differ at each step come as arrays: a plain number would be compiled in, and every step be a new kernel. */
export const number = (value: number): JaxArray => np.array(new Float32Array([value]));

/** Parameters, gradient, slots; the numbers of the step. Arguments are consumed, as everywhere in jax-js. */
export type Update = (p: JaxArray, g: JaxArray, slots: JaxArray[], rate: JaxArray, scale: JaxArray) => JaxArray[];

export const adamWith =
  (decay: number): Update =>
  (p, g, [m, v], rate, scale) => {
    const m1 = m.mul(beta1).add(g.ref.mul(1 - beta1));
    const v1 = v.mul(beta2).add(np.square(g).mul(1 - beta2));
    const decayed = decay === 0 ? p : p.mul(1 - lr * decay);
    return [decayed.sub(m1.ref.mul(rate).div(np.sqrt(v1.ref).mul(scale).add(eps))), m1, v1];
  };

/** The updates of one tensor, each one jit. */
export const updates: Record<Rule, { update: Update; slots: number }> = {
  adam: { update: jit(adamWith(0)), slots: 2 },
  adamw: { update: jit(adamWith(weightDecay)), slots: 2 },
  sgd: { update: jit(((p, g) => [p.sub(g.mul(sgdLr))]) as Update), slots: 0 },
  momentum: {
    update: jit(((p, g, [b]) => {
      const b1 = b.mul(momentum).add(g);
      return [p.sub(b1.ref.mul(sgdLr)), b1];
    }) as Update),
    slots: 1,
  },
};
