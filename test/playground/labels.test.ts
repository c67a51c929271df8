import { expect, it } from "vitest";
import { type Head, LINE, type Placed, placeLabels } from "../../examples/playground/surfaces/labels.ts";
import { PACES, rateAfter, secondsFor, stepsAfter } from "../../examples/playground/surfaces/pace.ts";

const size = { width: 600, height: 300 };
const head = (key: string, x: number, y: number): Head<string> => ({ key, x, y, width: 60 });

/** Whether two names cover each other. */
const cover = (a: Placed, b: Placed): boolean => Math.abs(a.x - b.x) < 60 && Math.abs(a.y - b.y) < LINE;

it("puts names beside their heads, inside the picture and clear of each other", () => {
  const heads = [head("a", 300, 150), head("b", 302, 151), head("c", 301, 149), head("d", 595, 5), head("e", 3, 297)];
  const placed = [...placeLabels(heads, size).values()];
  expect(placed).toHaveLength(heads.length);
  for (const [i, one] of placed.entries()) {
    expect(one.x >= 0 && one.x + 60 <= size.width && one.y >= LINE / 2 && one.y <= size.height - LINE / 2).toBe(true);
    expect(Math.abs(one.y - heads[i].y)).toBeLessThan(4 * LINE);
    expect(placed.slice(i + 1).some((other) => cover(one, other))).toBe(false);
  }
});

it("names seven that stand on the same point, and leaves names out where there is no room", () => {
  const same = Array.from({ length: 7 }, (_, i) => head(String(i), 300, 150));
  expect(placeLabels(same, size).size).toBe(7);
  expect(placeLabels(same, { width: 150, height: 40 }).size).toBe(0);
  expect(placeLabels(same, { width: 600, height: 40 }).size).toBeLessThan(7);
});

it("keeps a name where it was while it can", () => {
  const before = placeLabels([head("a", 300, 150), head("b", 300, 152)], size);
  const after = placeLabels([head("b", 304, 152)], size, before);
  expect(after.get("b")!.slot).toBe(before.get("b")!.slot);
});

it("shows steps evenly at first, then by equal factors, and knows when", () => {
  for (const pace of PACES) {
    expect(rateAfter(10, pace)).toBe(pace);
    for (const steps of [1, 149, 150, 151, 5000])
      expect(stepsAfter(secondsFor(steps, pace), pace)).toBeCloseTo(steps, 6);
    const slope = (stepsAfter(secondsFor(3000, pace) + 1e-6, pace) - 3000) / 1e-6;
    expect(slope / rateAfter(3000, pace)).toBeCloseTo(1, 3);
  }
});
