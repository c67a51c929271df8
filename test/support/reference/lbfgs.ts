// Plain L-BFGS with steps of a fixed length, in float64.

const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** The points after each of `count` iterations from x. */
export function lbfgs(
  gradient: (x: number[]) => number[],
  x: number[],
  { lr, historySize, count }: { lr: number; historySize: number; count: number },
): number[][] {
  const pairs: { s: number[]; y: number[]; rho: number }[] = [];
  const points: number[][] = [];
  let g = gradient(x);
  let h = 1;
  let d: number[] = [];
  let previous: number[] = [];
  let t = 0;
  for (let n = 1; n <= count; n++) {
    if (n > 1) {
      const y = g.map((v, i) => v - previous[i]);
      const s = d.map((v) => v * t);
      if (dot(y, s) > 1e-10) {
        pairs.push({ s, y, rho: 1 / dot(y, s) });
        if (pairs.length > historySize) pairs.shift();
        h = dot(y, s) / dot(y, y);
      }
    }
    let q = g.map((v) => -v);
    const alphas: number[] = [];
    for (const { s, y, rho } of [...pairs].reverse()) {
      const alpha = rho * dot(s, q);
      alphas.unshift(alpha);
      q = q.map((v, i) => v - alpha * y[i]);
    }
    q = q.map((v) => v * h);
    pairs.forEach(({ s, y, rho }, k) => {
      const beta = rho * dot(y, q);
      q = q.map((v, i) => v + (alphas[k] - beta) * s[i]);
    });
    d = q;
    previous = g;
    t = n === 1 ? lr * Math.min(1, 1 / g.reduce((sum, v) => sum + Math.abs(v), 0)) : lr;
    x = x.map((v, i) => v + t * d[i]);
    points.push(x);
    g = gradient(x);
  }
  return points;
}
