// The sweep of rules that reduce over each tensor: one tensor after the other. Only such rules import this file.
import type { CommonOptions, Group, Rule, Run, Settled } from "../optimizer/rule.js";
import type { Arena } from "../memory/arena.js";
import type { Kernels } from "../wasm/generated/kernels.js";
import type { RunList } from "./run-list.js";
import type { StepRequest } from "./step-request.js";
import type { Table } from "./tensor-table.js";

/** What a sweep needs of its optimizer. */
export interface Sweeper<Options extends CommonOptions> {
  readonly rule: Rule<Options>;
  readonly groups: readonly Group<Options>[];
  readonly table: Table;
  readonly arena: Arena;
  /** Sets the call of a batch's parameter group to the batch's step, scalars and coefficients. */
  setCall(runs: RunList, batch: number): Run & { readonly options: Settled<Options> };
  /** Clears a tensor's gradient and updates its average, as requested. */
  fuse(i: number): void;
}

/** Sweeps the tensors of a step one by one. Returns whether parameters were updated. */
export function sweepTensors<Options extends CommonOptions>(
  optimizer: Sweeper<Options>,
  runs: RunList,
  request: StepRequest,
): boolean {
  layOut(optimizer, runs);
  sweep(optimizer, runs, request);
  return true;
}

/**
 * A first pass over all tensors, for a rule that must see them all before it updates one. `before` begins it; `between` ends
 * it and returns false to update no parameters.
 */
interface FirstPass<Options extends CommonOptions> {
  before(options: Settled<Options>, shared: Float64Array): void;
  visit(kernels: Kernels, run: Run, options: Settled<Options>): void;
  between(options: Settled<Options>, shared: Float64Array): boolean;
}

/** Like {@link sweepTensors}, after a first pass. */
export const sweepAfter =
  <Options extends CommonOptions>(pass: FirstPass<Options>): typeof sweepTensors<Options> =>
  (optimizer, runs, request) => {
    const { groups, arena } = optimizer;
    layOut(optimizer, runs);
    const first = groups.find(isOccupied) ?? groups[0];
    pass.before(first.options, first.shared);
    for (let r = 0; r < runs.runs; r++) {
      const call = callOf(optimizer, runs, r);
      pass.visit(arena.kernels, call, call.options);
    }
    if (!pass.between(first.options, first.shared)) return false;
    sweep(optimizer, runs, request);
    return true;
  };

const isOccupied = ({ occupied }: { readonly occupied: boolean }): boolean => occupied;

function layOut<Options extends CommonOptions>(optimizer: Sweeper<Options>, runs: RunList): void {
  const { lead, count } = runs;
  runs.layOut(undefined);
  for (let b = 0; b < count; b++) if (optimizer.table.length[lead[b]] === 0) optimizer.setCall(runs, b); // it has no run
}

/** The call of a run. Each has one tensor. */
function callOf<Options extends CommonOptions>(optimizer: Sweeper<Options>, runs: RunList, r: number) {
  const batch = runs.batchOfRun[r];
  const call = optimizer.setCall(runs, batch);
  const { size, shape } = optimizer.table.tensors[runs.lead[batch]];
  call.size = size;
  call.shape = shape;
  runs.point(call.at, r);
  return call;
}

function sweep<Options extends CommonOptions>(optimizer: Sweeper<Options>, runs: RunList, request: StepRequest): void {
  const { rule, arena } = optimizer;
  const { lead, scalars } = runs;
  for (let r = 0; r < runs.runs; r++) {
    const batch = runs.batchOfRun[r];
    const call = callOf(optimizer, runs, r);
    rule.sweep(arena.kernels, call, call.options);
    for (let k = 0; k < call.scalars.length; k++) scalars[k][batch] = call.scalars[k];
    if (request.fused) optimizer.fuse(lead[batch]);
  }
  request.fusedDone = true;
}
