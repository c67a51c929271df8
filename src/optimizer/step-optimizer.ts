// The step of all rules but LBFGS, from top to bottom: read the request, clip, check, group tensors into runs, sweep, finish.
import { Optimizer } from "./optimizer.js";
import { flushSlots, flushes } from "../step/denormals.js";
import { LEAST_FACTOR, areFinite, clipByNorm, multiplyBefore } from "../step/gradient-norms.js";
import type { StepOptions, TensorState } from "./options.js";
import { RunList, SPARSE } from "../step/run-list.js";
import { StepRequest } from "../step/step-request.js";
import { type CommonOptions, GS, OWN, type Run, type Settled } from "./rule.js";
import { stepsOf } from "../step/tensor-table.js";
import { MAX_OWN } from "../wasm/generated/layout/coefficients.js";
import { MAX_SLOTS } from "../wasm/generated/layout/run-list.js";

/** What a parameter group's kernel calls take. */
interface Call<Options> extends Run {
  readonly options: Settled<Options>;
}

/** An optimizer that updates its tensors from their gradients, one step a call. */
export abstract class StepOptimizer<
  Options extends CommonOptions = CommonOptions,
  Name extends string = string,
  State extends TensorState = TensorState,
> extends Optimizer<Options, Name, State> {
  readonly #request = new StepRequest();
  readonly #gradNorm = Float64Array.of(NaN);
  /** Made for the table of tensors at hand, as is a call for each parameter group. */
  #runs: RunList | undefined;
  #calls: Call<Options>[] = [];

  /**
   * Updates every tensor from its gradient, once. Allocates nothing (but for `rows`, and where clipping takes a factor below 2⁻¹²⁶).
   * @returns true; false when a gradient was not finite and `nonFinite` is "skip".
   * @throws RangeError for a name in `skip` or `rows` that is unknown or there twice, a row that is out of range or there
   * twice, a `gradScale` that is not finite, a `clipNorm` below 0, an `average` of other tensors, and an arena without room
   * for what the first step with `rows` or a small `stateFormat` takes; TypeError for a wrong type; Error for a gradient that
   * is not finite under `nonFinite: "throw"`, between `eval()` and `train()`, and while an average is applied to one of the
   * tensors. Nothing is changed then.
   * @example
   * optimizer.step();
   * optimizer.step({ skip: ["fc1.bias"], gradScale: 1 / 4 });
   * optimizer.step({ clipNorm: 1, zeroGrad: true, average: ema });
   * optimizer.step({ rows: { embedding: Uint32Array.of(3, 17) } });
   */
  step(options?: StepOptions<Name>): boolean {
    this.checkValues();
    const { table, rule, groups } = this;
    rule.ready?.(groups, this.evaluating);
    const request = this.#request;
    request.reset(table.tensors.length);
    if (options !== undefined) {
      request.read(options, this);
      if (request.clipNorm[0] >= 0) clipByNorm(this.arena.kernels, table, request);
    }
    if (this.nonFinite !== "propagate" && !areFinite(this.arena.kernels, table, request, rule.name, this.nonFinite)) {
      // A step that is skipped as a whole only clears gradients.
      this.#gradNorm[0] = NaN;
      request.averages = undefined;
      for (let i = 0; i < request.skipped.length; i++) this.fuse(i);
      return false;
    }

    if (request.rows.length > 0) rule.rows?.makeRoom(request, this.slots);
    const runs = this.#runs?.table === table ? this.#runs : this.#prepare();
    this.#gradNorm[0] = request.norm[0];
    runs.begin(request);
    rule.copied?.begin(this.arena, table, runs.batchOf);
    rule.advance?.(groups);
    // A factor that would lose digits as a float32: the gradients are multiplied before the sweep and restored after it.
    const isTiny = Math.abs(request.gradScale[0]) < LEAST_FACTOR;
    const restore = isTiny ? multiplyBefore(this.arena.kernels, table, request) : undefined;
    const updated = rule.sweepAll ? rule.sweepAll(this, runs, request) : this.#sweepRuns(runs);
    restore?.();
    this.#finish(runs, updated);
    return true;
  }

  /**
   * The global norm of the last step's gradients, times `gradScale`, before clipping; NaN where that step had no `clipNorm` or
   * was skipped, and before the first.
   */
  get gradNorm(): number {
    this.check();
    return this.#gradNorm[0];
  }

  override dispose(): void {
    this.#runs?.dispose();
    this.#runs = undefined;
    super.dispose();
  }

  /** Makes what steps need for the tensors at hand. */
  #prepare(): RunList {
    const { table, groups, arena, rule } = this;
    const runs = new RunList(table, groups.length, !rule.sweepAll, arena, rule.name);
    this.#runs?.dispose(); // after the new list, which may find no room: nothing is changed then
    this.#runs = runs;
    this.#calls = groups.map(({ options, shared }) => ({
      options,
      at: new Uint32Array(3 + MAX_SLOTS),
      c: new Float64Array(OWN + MAX_OWN),
      t: 0,
      scalars: new Float64Array(table.scalars.length),
      shared,
      size: 0,
      shape: [],
      scratch: this.slots.scratch,
    }));
    return runs;
  }

  /** @internal Sets the call of a batch's parameter group to the batch's step, scalars and coefficients. */
  setCall(runs: RunList, batch: number): Call<Options> {
    const { table, rule } = this;
    const { gradScale } = this.#request;
    const lead = runs.lead[batch];
    const call = this.#calls[table.group[lead]];
    const { options, c, scalars } = call;
    call.t = stepsOf(table, lead);
    for (let k = 0; k < scalars.length; k++) scalars[k] = table.scalars[k][lead];
    c[GS] = options.maximize ? -gradScale[0] : gradScale[0];
    rule.coefficients?.(c, options, call.t, scalars, call.shared);
    for (let k = 0; k < scalars.length; k++) runs.scalars[k][batch] = scalars[k];
    return call;
  }

  /** A rule of single elements: one kernel call for all runs of a variant; or one per run for a single one or in a full arena. */
  #sweepRuns(runs: RunList): boolean {
    const { rule, arena } = this;
    const { averages, fused, rows } = this.#request;
    let call!: Call<Options>;
    for (let b = 0; b < runs.count; b++) {
      call = this.setCall(runs, b);
      const variant = ((rule.variant?.(call.options, call.c) ?? 0) << MAX_SLOTS) + runs.slots[b];
      runs.setVariant(b, rows.length > 0 && rows[runs.lead[b]] ? SPARSE : variant);
      if (runs.count > 1) runs.setCoefficients(b, call.c);
    }
    runs.layOut(averages);
    const withPass = fused || this.slots.converter !== 0;
    const isList = (runs.runs > 1 || withPass) && runs.moveToArena(rule.name);
    if (isList && withPass) runs.setPass(this.#request, this.slots.converter);
    for (let k = 0; k < (isList ? runs.calls : runs.runs); k++) {
      // The calls of batches of one parameter group are one object.
      if (runs.count > 1) call = this.setCall(runs, runs.batchOfRun[isList ? runs.first[k] : k]);
      if (isList) runs.pointAtCall(call, k, withPass);
      else runs.point(call.at, k);
      rule.sweep(arena.kernels, call, call.options);
    }
    this.#request.fusedDone = isList;
    if (rows.length > 0) rule.rows?.sweep(this, runs, this.#request);
    return true;
  }

  /** What is left after the kernels: scalars, denormals, and what was to be fused for tensors that were not swept. */
  #finish(runs: RunList, updated: boolean): void {
    const request = this.#request;
    if (updated) {
      runs.storeScalars();
      for (let b = 0; b < runs.count; b++)
        if (flushes(runs.table, runs.lead[b])) {
          flushSlots(this.arena.kernels, runs, request.rows, this.rule.copied?.slot);
          break;
        }
    }
    if (request.fused && !(request.fusedDone && request.whole))
      for (let i = 0; i < runs.batchOf.length; i++)
        if (!request.fusedDone || runs.batchOf[i] < 0 || request.rows[i]) this.fuse(i);
    request.average?.finish(request.averages !== undefined);
  }

  /** @internal Clears a tensor's gradient and updates its average, as requested, where no kernel has done it in its sweep. */
  fuse(i: number): void {
    const { table, arena } = this;
    const { zeroGrad, averages, averageWeight, rows } = this.#request;
    const { grad, shape, size } = table.tensors[i];
    const width = size / shape[0];
    const chosen = rows[i];
    if (zeroGrad && chosen) for (const row of chosen) grad.fill(0, row * width, (row + 1) * width);
    else if (zeroGrad) grad.fill(0);
    const average = averages?.[i] ?? 0;
    if (average !== 0) arena.kernels.approach(table.length[i], average, table.data[i], averageWeight[0]);
  }
}
