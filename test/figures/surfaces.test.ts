import { describe, expect, it } from "vitest";
import { random } from "../../examples/figures/random.ts";
import { type Surface, surfaces } from "../../examples/figures/surfaces.ts";

/** `count` points all over a surface's domain. */
function pointsOf({ domain: { x, y } }: Surface, count: number): [number, number][] {
  const { uniform } = random(1);
  return Array.from({ length: count }, () => [x[0] + uniform() * (x[1] - x[0]), y[0] + uniform() * (y[1] - y[0])]);
}

describe.each(Object.values(surfaces))("$title", (surface) => {
  it("has the gradient of its loss", () => {
    const h = 1e-5;
    for (const [x, y] of pointsOf(surface, 50)) {
      const [byX, byY] = surface.gradient(x, y);
      const scale = 1 + Math.abs(byX) + Math.abs(byY);
      const slopeX = (surface.loss(x + h, y) - surface.loss(x - h, y)) / (2 * h);
      const slopeY = (surface.loss(x, y + h) - surface.loss(x, y - h)) / (2 * h);
      expect(Math.abs(slopeX - byX) / scale).toBeLessThan(1e-6);
      expect(Math.abs(slopeY - byY) / scale).toBeLessThan(1e-6);
    }
  });

  it("is 0 and flat at its minimum, above 0 elsewhere", () => {
    const { x, y } = surface.minimum;
    expect(surface.loss(x, y)).toBe(0);
    for (const slope of surface.gradient(x, y)) expect(Math.abs(slope)).toBe(0);
    for (const [px, py] of pointsOf(surface, 200)) expect(surface.loss(px, py)).toBeGreaterThan(0);
  });

  it("has its start and its minimum within the domain", () => {
    const { x, y } = surface.domain;
    for (const point of [surface.start, surface.minimum]) {
      expect(point.x).toBeGreaterThan(x[0]);
      expect(point.x).toBeLessThan(x[1]);
      expect(point.y).toBeGreaterThan(y[0]);
      expect(point.y).toBeLessThan(y[1]);
    }
  });
});
