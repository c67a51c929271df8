// Rows of local steps: each row once an epoch, whatever the sizes, and the same rows for every worker.
import { expect, test } from "vitest";
import { fillRows, placeOf, seedOf } from "../../src/distributed/rows.js";

const settings = { samples: 1000, batchSize: 10, replicas: 5, localSteps: 4, seed: 1 };

/** The rows of all steps of some rounds, in order. */
function rowsOf(given: typeof settings, rounds: number): number[] {
  const all: number[] = [];
  const rows = new Uint32Array(given.batchSize);
  for (let round = 1; round <= rounds; round++)
    for (let replica = 0; replica < given.replicas; replica++)
      for (let step = 0; step < given.localSteps; step++) {
        fillRows(given, placeOf(given, round, replica, step), rows);
        all.push(...rows);
      }
  return all;
}

test.each([1, 2, 3, 4, 5, 16, 17, 199, 200, 256, 257, 1000])("%i samples: every row once an epoch", (samples) => {
  const rows = rowsOf({ ...settings, samples }, 10);
  expect(rows).toHaveLength(2000);
  const all = Array.from({ length: samples }, (_, row) => row);
  for (let first = 0; first + samples <= rows.length; first += samples)
    expect(rows.slice(first, first + samples).sort((a, b) => a - b)).toEqual(all);
});

test("epochs and seeds have other orders, and neighbours are apart", () => {
  const first = rowsOf(settings, 10);
  expect(first.slice(0, 1000)).not.toEqual(first.slice(1000));
  expect(rowsOf({ ...settings, seed: 2 }, 5)).not.toEqual(first.slice(0, 1000));
  expect(rowsOf({ ...settings, seed: 1 + 2 ** 32 }, 5)).not.toEqual(first.slice(0, 1000));
  // Of a random order, the mean distance of neighbours is a third, and 1 in 500 are next to each other.
  const distances = first.slice(1, 1000).map((row, i) => Math.abs(row - first[i]));
  const mean = distances.reduce((sum, x) => sum + x, 0) / distances.length;
  expect(mean).toBeGreaterThan(300);
  expect(mean).toBeLessThan(370);
  expect(distances.filter((x) => x === 1).length).toBeLessThan(12);
});

test("2³² samples, and places beyond 2³²", () => {
  const rows = new Uint32Array(64);
  const huge = { ...settings, samples: 2 ** 32, batchSize: 64 };
  fillRows(huge, placeOf(huge, 2 ** 31, 3, 2), rows);
  expect(new Set(rows).size).toBe(64);
  expect(Math.max(...rows)).toBeGreaterThan(2 ** 31);
});

test("seeds of steps differ, and are whole numbers in [0, 2³²)", () => {
  const seeds = Array.from({ length: 20_000 }, (_, place) => seedOf(settings, place));
  expect(new Set(seeds).size).toBeGreaterThan(19_990);
  expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
  expect(seedOf({ ...settings, seed: 2 }, 0)).not.toBe(seeds[0]);
});

test("rows and seeds stay what they are, on every engine", () => {
  expect(rowsOf({ ...settings, samples: 60_000, batchSize: 4, localSteps: 1, replicas: 2 }, 1)).toMatchInlineSnapshot(`
    [
      20305,
      28438,
      20517,
      24823,
      433,
      49486,
      12582,
      15024,
    ]
  `);
  expect([seedOf(settings, 0), seedOf(settings, 2 ** 40)]).toMatchInlineSnapshot(`
    [
      1340096819,
      959839844,
    ]
  `);
});
