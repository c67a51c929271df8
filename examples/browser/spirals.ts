// What is learnt: points on two spirals, in a square from -1 to 1.
import type { Random } from "gradstep/nn";

const POINTS = 400;
const TURNS = 2;
/** The network is asked at so many places a side. */
export const FIELD = 64;

/** Points [count, 2], and which spiral each is on. */
export function spirals(random: Random): { x: Float32Array; y: Uint8Array } {
  const [x, y] = [new Float32Array(2 * POINTS), new Uint8Array(POINTS)];
  for (let i = 0; i < POINTS; i++) {
    y[i] = i % 2;
    const radius = 0.1 + 0.8 * Math.sqrt(random.uniform());
    const angle = 2 * Math.PI * TURNS * radius + Math.PI * y[i];
    const noise = () => 0.08 * (random.uniform() - 0.5);
    x[2 * i] = radius * Math.cos(angle) + noise();
    x[2 * i + 1] = radius * Math.sin(angle) + noise();
  }
  return { x, y };
}

/** The middles of the picture's FIELD × FIELD places, row by row from the top. */
export function places(): Float32Array {
  const at = (i: number): number => (2 * (i + 0.5)) / FIELD - 1;
  return Float32Array.from({ length: 2 * FIELD * FIELD }, (_, i) => {
    const place = i >> 1;
    return at(i % 2 === 0 ? place % FIELD : Math.floor(place / FIELD));
  });
}
