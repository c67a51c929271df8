import { readFileSync } from "node:fs";
import { Arena } from "gradstep";
import * as gradstep from "gradstep";
import { describe, expect, it } from "vitest";
import { CONVOLUTIONS, type Setup } from "../../examples/playground/digits/messages.ts";
import { normalise } from "../../examples/playground/digits/normalise.ts";
import { Digits, pack } from "../../examples/playground/digits/packing.ts";
import { Trainer } from "../../examples/playground/digits/trainer.ts";
import { MOST_STEPS, Race } from "../../examples/playground/surfaces/race.ts";
import { Racer } from "../../examples/playground/surfaces/racer.ts";
import { optionsOf, positionOf, valueAt } from "../../examples/playground/surfaces/knobs.ts";
import { ruleKeys, rules } from "../../examples/playground/surfaces/rules.ts";
import { landscapeKeys, landscapes } from "../../examples/playground/surfaces/surfaces.ts";

describe("surfaces", () => {
  it("offers every optimizer", () => {
    const offered = new Set(Object.values(rules).map(({ className }): string => className));
    const optimizers = Object.entries(gradstep).flatMap(([name, value]) =>
      "prototype" in value && value.prototype instanceof gradstep.Optimizer && name !== "StepOptimizer" ? [name] : [],
    );
    expect(optimizers.filter((name) => !offered.has(name))).toEqual([]);
  });

  it.each(landscapeKeys)("%s has its gradient and is 0 at its minima", (key) => {
    const surface = landscapes[key];
    const { minima, start } = surface;
    const loss = (x: number, y: number): number => surface.loss(x, y);
    const h = 1e-5;
    const [byX, byY] = surface.gradient(start.x + 0.1, start.y + 0.2);
    const slope = (x: number, y: number): number =>
      (loss(start.x + 0.1 + x, start.y + 0.2 + y) - loss(start.x + 0.1 - x, start.y + 0.2 - y)) / (2 * h);
    expect(Math.abs(slope(h, 0) - byX)).toBeLessThan(1e-5 * (1 + Math.abs(byX)));
    expect(Math.abs(slope(0, h) - byY)).toBeLessThan(1e-5 * (1 + Math.abs(byY)));
    for (const { x, y } of minima) expect(loss(x, y)).toBeLessThan(1e-8);
  });

  it.each(landscapeKeys)("%s: every rule converges at its first settings, inside the picture", (key) => {
    const race = new Race(key);
    race.choose(ruleKeys);
    while (!race.over) race.step();
    const { x, y } = race.surface.domain;
    const fates = [...race.racers].map(([rule, { fate, path }]) => {
      const outside = path.findIndex((at, i) => at < (i % 2 ? y : x)[0] || at > (i % 2 ? y : x)[1]);
      return [rule, fate === "local" && key === "rastrigin" ? "arrived" : fate, outside];
    });
    expect(fates).toEqual(ruleKeys.map((rule) => [rule, "arrived", -1]));
    expect(race.steps).toBeLessThan(MOST_STEPS);
  });

  it("ranks those who have arrived by their steps, then local minima, then the rest by loss", () => {
    const race = new Race("rastrigin");
    race.choose(["sgd", "adam", "lbfgs", "ftrl", "momentum"]);
    race.tune("momentum", [10, 0.9]);
    while (!race.over) race.step();
    const { racers } = race;
    expect(race.ranking().map((rule) => racers.get(rule)!.fate)).toEqual([
      "arrived",
      "arrived",
      "local",
      "local",
      "diverged",
    ]);
    expect(race.ranking().slice(0, 2)).toEqual(["ftrl", "adam"]);
    const [better, worse] = race.ranking().slice(2, 4);
    expect(racers.get(better)!.loss).toBeLessThan(racers.get(worse)!.loss);
  });

  it("stops a rule that makes no progress, and one that diverges", () => {
    const race = new Race("saddle");
    race.setStart({ x: -1, y: 0 });
    race.choose(["sgd", "adam"]);
    race.tune("adam", [1e5, 0.9, 0.999, 1e-8]);
    while (!race.over) race.step();
    expect([...race.racers.values()].map(({ fate }) => fate)).toEqual(["stalled", "diverged"]);
    expect(race.steps).toBeLessThan(MOST_STEPS);
  });

  it("takes a rule that is tuned to where it would have come", () => {
    const race = new Race("rosenbrock");
    race.choose(["adam"]);
    for (let i = 0; i < 50; i++) race.step();
    race.tune("adam", [0.01, 0.8, 0.99, 1e-8]);
    const options = optionsOf(race.knobs("adam"), [0.01, 0.8, 0.99, 1e-8]);
    const racer = new Racer(new Arena({ capacity: 2 ** 21 }), race.surface, rules.adam, options, race.start);
    for (let i = 0; i < 50; i++) racer.step();
    expect(race.racers.get("adam")!.path).toEqual(racer.path);
  });

  it("has sliders that find their values again", () => {
    for (const { knobs } of Object.values(rules))
      for (const knob of knobs) {
        const value = valueAt(knob, positionOf(knob, knob.start));
        expect([knob.label, valueAt(knob, positionOf(knob, value))]).toEqual([knob.label, value]);
      }
  });
});

it.each([
  ["index.html", ["digits/section.ts", "digits/charts.ts", "digits/filters.ts", "page/main.ts"]],
  ["gpt.html", ["writer/main.ts"]],
  ["tfjs.html", ["tensorflow/main.ts"]],
])("%s has the elements that its scripts look for", (page, scripts) => {
  const folder = new URL("../../examples/playground/", import.meta.url);
  const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
  const html = read(page);
  const ids = scripts.flatMap((script) => [...read(script).matchAll(/byId\("([\w-]+)"/g)].map(([, id]) => id));
  expect(ids.length).toBeGreaterThan(2);
  for (const id of ids) expect(html).toContain(`id="${id}"`);
});

describe("digits", () => {
  const digit = Uint8Array.from({ length: 784 }, (_, i) =>
    i % 28 > 12 && i % 28 < 16 && i > 112 && i < 672 ? 255 : 0,
  );

  it("packs images to be the same in 16 shades", () => {
    const images = Uint8Array.from({ length: 2 * 784 }, (_, i) => (i * 7) % 256);
    const digits = new Digits(pack({ images, labels: Uint8Array.of(3, 9) }, 2));
    const x = new Float32Array(784);
    digits.unpack(1, x);
    expect(Array.from(digits.labels)).toEqual([3, 9]);
    x.forEach((pixel, i) => expect(Math.abs(pixel - images[784 + i] / 255)).toBeLessThanOrEqual(1 / 30 + 1e-6));
    expect(() => new Digits(new Uint8Array(100))).toThrow(RangeError);
  });

  it("trains the convolutional net, shows its filters, and goes on from its file with the same bits", () => {
    const images = Uint8Array.from({ length: 130 * 784 }, (_, i) => (i * i * 7) % 256);
    const digits = new Digits(pack({ images, labels: Uint8Array.from({ length: 130 }, (_, i) => i % 10) }, 130));
    const setup: Setup = { rule: "adam", lr: 0.001, hidden: CONVOLUTIONS };
    const trainer = new Trainer(digits, setup);
    const start = trainer.filters;
    trainer.trainBatch();
    expect(start).toHaveLength(16 * 9);
    expect(trainer.filters).not.toEqual(start);
    const other = Trainer.from(trainer.save(), digits, { rule: "sgd", lr: 1, hidden: [] });
    expect(other.setup).toEqual(setup);
    for (let i = 0; i < 3; i++) expect(other.trainBatch()).toEqual(trainer.trainBatch());
    expect(other.filters).toEqual(trainer.filters);
    expect(new Trainer(digits, { ...setup, hidden: [8] }).filters).toBeUndefined();
  });

  it("brings a drawing anywhere and of any size to the same image", () => {
    const draw = (scale: number, left: number, top: number): Float32Array => {
      const ink = new Float32Array(280 * 280);
      for (let y = 0; y < 28 * scale; y++)
        for (let x = 0; x < 28 * scale; x++)
          if (digit[Math.floor(y / scale) * 28 + Math.floor(x / scale)] > 0) ink[(top + y) * 280 + left + x] = 1;
      return normalise({ ink, width: 280, height: 280 })!;
    };
    const small = draw(4, 10, 150);
    expect(small).toEqual(draw(8, 40, 20));
    const rows = Array.from({ length: 28 }, (_, y) => small.subarray(28 * y, 28 * y + 28).some((pixel) => pixel > 0));
    expect(rows.indexOf(true)).toBe(4);
    expect(rows.lastIndexOf(true)).toBe(23);
    expect(normalise({ ink: new Float32Array(100), width: 10, height: 10 })).toBeUndefined();
  });
});
