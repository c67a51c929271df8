// Sequences that found bugs, by the bug.
import type { Sequence } from "./commands/index.js";

const step = { gradScale: 1, skip: [], rows: null, clipNorm: undefined, zeroGrad: false, average: null };
const rule = { variant: 0, more: {}, nonFinite: "propagate", stateFormat: "float32" };
const params = { sizes: [26, 5], form: "vector", prefix: "a", seed: 3, from: true };

export const found: Readonly<Record<string, Sequence>> = {
  "a NaN among a tensor's numbers was refused by a load": {
    pages: 4,
    acts: [
      { command: "makeParams", given: params },
      { command: "construct", given: { at: 0, rule: { ...rule, row: 14 }, groups: [], split: [0, 0, 0, 0, 0] } },
      { command: "step", given: { at: 0, asked: { ...step, seed: 3802, kind: "special" } } },
      { command: "twin", given: { at: 0, way: "file", backwards: true } },
      { command: "wind", given: { at: 0, steps: [1] } },
    ],
  },
  "a NaN among a group's numbers was refused by a load": {
    pages: 8,
    acts: [
      { command: "makeParams", given: params },
      { command: "construct", given: { at: 0, rule: { ...rule, row: 17 }, groups: [1], split: [1, 0, 0, 0, 0] } },
      { command: "step", given: { at: 0, asked: { ...step, seed: 7820, kind: "special", gradScale: -0.5 } } },
      { command: "twin", given: { at: 0, way: "object", backwards: true } },
    ],
  },
  "an average that went along with Lookahead took the fast weights": {
    pages: 4,
    acts: [
      { command: "makeParams", given: params },
      { command: "construct", given: { at: 0, rule: { ...rule, row: 11 }, groups: [], split: [0, 0, 0, 0, 0] } },
      { command: "makeLookahead", given: { at: 0, k: 1, alpha: 0 } },
      { command: "makeAverage", given: { at: 0, mean: false, decay: 0, debias: false } },
      { command: "stepLookahead", given: { at: 0, asked: { ...step, seed: 855, kind: "usual", average: 0 } } },
    ],
  },
  "a load that Lookahead refused took in the tensors of a new group": {
    pages: 8,
    acts: [
      { command: "makeParams", given: params },
      { command: "makeParams", given: { ...params, prefix: "b" } },
      { command: "construct", given: { at: 0, rule: { ...rule, row: 2 }, groups: [], split: [0, 0, 0, 0, 0] } },
      { command: "makeLookahead", given: { at: 0, k: 2, alpha: 0.5 } },
      { command: "addGroup", given: { at: 1, to: 0, override: 1 } },
      { command: "damage", given: { at: 1, path: [0], value: 1 } },
    ],
  },
  "under Keras's Nesterov at a rate of 0, a zero's sign differed from the plain loop's": {
    pages: 1,
    acts: [
      { command: "makeParams", given: { ...params, sizes: [21, 22], seed: 4229, from: false } },
      {
        command: "construct",
        given: {
          at: 0,
          rule: { ...rule, row: 0, variant: 7, nonFinite: "skip" },
          groups: [4],
          split: [1, 2, 2, 2, 0],
        },
      },
      { command: "write", given: { at: 0, seed: 7099, kind: "usual", how: 0 } },
      { command: "stepOften", given: { at: 0, seed: 4664, count: 2 } },
    ],
  },
  "a step count of 0 beside ASGD's weight of a later step was not as in the plain loop": {
    pages: 4,
    acts: [
      { command: "makeParams", given: { ...params, sizes: [63] } },
      {
        command: "construct",
        given: { at: 0, rule: { ...rule, row: 9, variant: 1 }, groups: [], split: [0, 0, 0, 0, 0] },
      },
      { command: "stepOften", given: { at: 0, seed: 0, count: 4 } },
      { command: "wind", given: { at: 0, steps: [0] } },
      { command: "step", given: { at: 0, asked: { ...step, seed: 327, kind: "usual" } } },
    ],
  },
  "Ftrl at a rate of 0 gave a zero another sign than its plain loop": {
    pages: 4,
    acts: [
      { command: "makeParams", given: { ...params, sizes: [2], seed: 4636, from: false } },
      { command: "construct", given: { at: 0, rule: { ...rule, row: 24 }, groups: [4], split: [1, 0, 0, 0, 0] } },
      { command: "step", given: { at: 0, asked: { ...step, seed: 0, kind: "usual", gradScale: -0.5 } } },
    ],
  },
  "a sparse step that found no room gave up the memory of its runs": {
    pages: 1,
    acts: [
      { command: "makeParams", given: { ...params, sizes: [0], seed: 0, from: false } },
      {
        command: "construct",
        given: { at: 0, rule: { ...rule, row: 0, stateFormat: "bfloat16" }, groups: [], split: [0, 0, 0, 0, 0] },
      },
      { command: "makeParams", given: { ...params, sizes: [0], seed: 0, from: false } },
      {
        command: "construct",
        given: { at: 7, rule: { ...rule, row: 0, nonFinite: "skip" }, groups: [], split: [0, 0, 0, 0, 0] },
      },
      { command: "step", given: { at: 3, asked: { ...step, seed: 0, kind: "usual", clipNorm: 0, zeroGrad: true } } },
      { command: "makeParams", given: { ...params, sizes: [3], form: "any", prefix: "c", seed: 0, from: false } },
      { command: "subset", given: { at: 0, names: [0], twice: 1 } },
      { command: "addGroup", given: { at: 6, to: 9, override: 0 } },
      {
        command: "step",
        given: {
          at: 1,
          asked: { ...step, seed: 0, kind: "usual", gradScale: 0, skip: [0], rows: [], clipNorm: 0.5, zeroGrad: true },
        },
      },
    ],
  },
  "two tensors of one name were saved into a file": {
    pages: 4,
    acts: [
      { command: "makeParams", given: { ...params, sizes: [1003, 63], prefix: "c", seed: 0, from: false } },
      {
        command: "construct",
        given: { at: 0, rule: { ...rule, row: 16, nonFinite: "skip" }, groups: [], split: [0, 0, 0, 0, 0] },
      },
      { command: "subset", given: { at: 0, names: [3], twice: 1 } },
      { command: "construct", given: { at: 3, rule: { ...rule, row: 0 }, groups: [], split: [0, 0, 0, 0, 0] } },
      { command: "makeParams", given: { ...params, sizes: [1003], seed: 0, from: false } },
      { command: "makeParams", given: { ...params, sizes: [0], prefix: "c", seed: 0, from: false } },
      { command: "addGroup", given: { at: 7, to: 0, override: 0 } },
      { command: "twin", given: { at: 0, way: "file", backwards: false } },
    ],
  },
  "steps of Prodigy at unequal rates were expected to pass": {
    pages: 4,
    acts: [
      { command: "makeParams", given: { ...params, sizes: [0], seed: 0, from: false } },
      { command: "construct", given: { at: 0, rule: { ...rule, row: 17 }, groups: [], split: [0, 0, 0, 0, 0] } },
      { command: "makeParams", given: { ...params, sizes: [0, 63], seed: 0, from: false } },
      { command: "makeSchedule", given: { at: 0, a: 9, b: 0, how: 0 } },
      { command: "subset", given: { at: 1, names: [1], twice: 1 } },
      { command: "addGroup", given: { at: 11, to: 0, override: 0 } },
      { command: "makeSchedule", given: { at: 0, a: 0, b: 0, how: 1 } },
      { command: "stepOften", given: { at: 0, seed: 0, count: 1 } },
    ],
  },
  "a first step of SAM that threw kept the memory for a new group": {
    pages: 4,
    acts: [
      { command: "makeParams", given: { ...params, sizes: [0], seed: 0, from: false } },
      {
        command: "construct",
        given: { at: 0, rule: { ...rule, row: 33, nonFinite: "throw" }, groups: [], split: [0, 0, 0, 0, 0] },
      },
      { command: "makeParams", given: { ...params, sizes: [63], prefix: "b", seed: 0, from: false } },
      { command: "makeSAM", given: { at: 0, around: false, rho: 0, adaptive: false } },
      { command: "addGroup", given: { at: 3, to: 0, override: 0 } },
      { command: "firstStep", given: { at: 0, asked: { ...step, seed: 0, kind: "special", gradScale: 0.25 } } },
    ],
  },
  "a second step of SAM was expected to refuse gradients of tensors that the first had skipped": {
    pages: 4,
    acts: [
      { command: "makeParams", given: { ...params, sizes: [63], seed: 0, from: false } },
      {
        command: "construct",
        given: { at: 0, rule: { ...rule, row: 0, nonFinite: "throw" }, groups: [], split: [0, 0, 0, 0, 0] },
      },
      { command: "makeSAM", given: { at: 0, around: false, rho: 0, adaptive: false } },
      { command: "firstStep", given: { at: 0, asked: { ...step, seed: 0, kind: "zero", skip: [0] } } },
      { command: "secondStep", given: { at: 0, asked: { ...step, seed: 0, kind: "special" } } },
    ],
  },
  "a second step of SAM was expected to refuse rows before it refuses what another SAM has moved": {
    pages: 4,
    acts: [
      { command: "makeParams", given: { ...params, sizes: [1003], form: "matrix", seed: 0, from: false } },
      { command: "construct", given: { at: 0, rule: { ...rule, row: 0 }, groups: [], split: [0, 0, 0, 0, 0] } },
      { command: "makeSAM", given: { at: 0, around: false, rho: 0, adaptive: false } },
      { command: "makeSAM", given: { at: 0, around: false, rho: 0, adaptive: false } },
      { command: "firstStep", given: { at: 0, asked: { ...step, seed: 0, kind: "usual", skip: [0] } } },
      { command: "firstStep", given: { at: 1, asked: { ...step, seed: 0, kind: "usual" } } },
      { command: "secondStep", given: { at: 0, asked: { ...step, seed: 0, kind: "usual", rows: [] } } },
    ],
  },
  "a state of 0.1, which knows no cautious updates, was expected to be refused": {
    pages: 4,
    acts: [
      { command: "makeParams", given: { ...params, sizes: [63], seed: 0, from: false } },
      { command: "construct", given: { at: 0, rule: { ...rule, row: 5 }, groups: [], split: [0, 0, 0, 0, 0] } },
      { command: "makeSchedule", given: { at: 0, a: 0, b: 0, how: 0 } },
      { command: "damage", given: { at: 0, path: [4, 0, 4, 15], value: 0 } },
    ],
  },
  "a file was expected of tensors of which a SAM has moved one that is not the optimizer's": {
    pages: 4,
    acts: [
      { command: "makeParams", given: { ...params, sizes: [0, 0], seed: 0, from: false } },
      { command: "construct", given: { at: 0, rule: { ...rule, row: 0 }, groups: [], split: [0, 0, 0, 0, 0] } },
      { command: "subset", given: { at: 0, names: [1], twice: 1 } },
      { command: "makeSAM", given: { at: 0, around: false, rho: 0, adaptive: false } },
      { command: "firstStep", given: { at: 0, asked: { ...step, seed: 0, kind: "usual", skip: [1] } } },
      { command: "disposeOptimizer", given: 0 },
      { command: "construct", given: { at: 1, rule: { ...rule, row: 0 }, groups: [], split: [0, 0, 0, 0, 0] } },
      { command: "twin", given: { at: 0, way: "file", backwards: false } },
    ],
  },
};
