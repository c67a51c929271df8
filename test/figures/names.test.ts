import { describe, expect, it } from "vitest";
import { type Named, type Pixel, overlap, placeNames } from "../../examples/figures/names.ts";

const frame = { left: 0, top: 0, right: 300, bottom: 200 };
const line = (text: string, ...pieces: Pixel[][]): Named => ({ text, pieces });
const level = (y: number): Pixel[] => [
  { x: 0, y },
  { x: 300, y },
];

describe("placeNames", () => {
  const rows = [40, 66, 92, 140];
  const names = placeNames(
    frame,
    rows.map((y, i) => line(`curve ${i}`, level(y))),
  );

  it("puts each name next to its own curve, within the frame, over no curve and no other name", () => {
    names.forEach(({ box }, i) => {
      const gaps = rows.map((y) => Math.max(box.top - y, y - box.bottom, 0));
      expect(gaps.indexOf(Math.min(...gaps))).toBe(i);
      expect(Math.min(...gaps)).toBeGreaterThan(0);
      expect(box.left > 0 && box.right < 300 && box.top > 0 && box.bottom < 200).toBe(true);
      expect(names.filter((other, k) => k > i && overlap(other.box, box))).toEqual([]);
    });
  });

  it("names a curve where it runs by itself", () => {
    const shared = [
      { x: 0, y: 100 },
      { x: 200, y: 100 },
    ];
    const [up, down] = placeNames(frame, [
      line("up", [...shared, { x: 300, y: 20 }]),
      line("down", [...shared, { x: 300, y: 180 }]),
    ]);
    expect(up.box.right).toBeGreaterThan(205);
    expect(down.box.right).toBeGreaterThan(205);
    expect(up.y).toBeLessThan(down.y);
  });

  it("leaves what is taken, and joins a name that is far with a line", () => {
    const taken = [{ left: 0, top: 60, right: 300, bottom: 140 }];
    const [{ box, leader }] = placeNames(frame, [line("far", level(100))], taken);
    expect(overlap(box, taken[0])).toBe(false);
    expect(leader?.[0].y).toBe(100);
  });

  it("says so when there is no place", () => {
    expect(() => placeNames(frame, [line("none", level(100))], [frame])).toThrow('no place for the name "none"');
  });
});
