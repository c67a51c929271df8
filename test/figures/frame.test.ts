import { describe, expect, it } from "vitest";
import { type Frame, show, thin } from "../../examples/figures/frame.ts";

const square: Frame = { x: [0, 10], y: [0, 10] };
const at = (...pairs: [number, number][]): { x: number; y: number }[] => pairs.map(([x, y]) => ({ x, y }));

describe("show", () => {
  it("leaves a curve within the frame as it is", () => {
    const points = at([0, 0], [5, 5], [10, 10]);
    expect(show(square, points)).toEqual({ pieces: [points], exits: [] });
  });

  it("cuts a curve at the border, marks its exits outwards and takes it up where it returns", () => {
    const { pieces, exits } = show(square, at([5, 5], [5, 15], [9, 15], [9, 5], [19, 5]));
    expect(pieces).toEqual([at([5, 5], [5, 10]), at([9, 10], [9, 5], [10, 5])]);
    expect(exits).toEqual([
      { x: 5, y: 10, turn: 0 },
      { x: 10, y: 5, turn: 90 },
    ]);
    expect(show(square, at([5, 5], [5, -5])).exits).toEqual([{ x: 5, y: 0, turn: 180 }]);
    expect(show(square, at([5, 5], [-5, 5])).exits).toEqual([{ x: 0, y: 5, turn: 270 }]);
  });

  it("shows a step that only crosses the frame, and none that passes it by", () => {
    const { pieces, exits } = show(square, at([-5, 5], [15, 5]));
    expect(pieces).toEqual([at([0, 5], [10, 5])]);
    expect(exits).toEqual([{ x: 10, y: 5, turn: 90 }]);
    expect(show(square, at([-5, 5], [5, 20], [20, 20]))).toEqual({ pieces: [], exits: [] });
  });

  it("marks the last point before one that is not finite", () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const { pieces, exits } = show(square, at([2, 3], [5, bad], [bad, 5]));
      expect(pieces.flat().every(({ x, y }) => x === 2 && y === 3)).toBe(true);
      expect(exits).toHaveLength(1);
    }
  });

  it("finds the border of a logarithmic axis, and takes 0 as below it", () => {
    const frame: Frame = { x: [0, 10], y: [1, 100], logY: true };
    const { exits } = show(frame, at([0, 10], [10, 0.1]));
    expect(exits).toHaveLength(1);
    expect(exits[0].x).toBeCloseTo(5);
    expect(exits[0].y).toBeCloseTo(1);
    expect(show(frame, at([0, 10], [10, 0])).exits[0].turn).toBe(180);
  });
});

describe("thin", () => {
  it("drops what is nearer than a pixel, but neither end nor a turn further out", () => {
    const points = at([0, 0], [0.001, 0], [0.002, 0], [5, 5], [5.001, 5]);
    expect(thin(square, 100, 100, points)).toEqual(at([0, 0], [5, 5], [5.001, 5]));
    expect(thin(square, 100, 100, points, 0)).toEqual(points);
  });
});
