import { Optimizer } from "./optimizer.js";
import { clip } from "../util/check.js";
import { FLOAT32 } from "../state/small-formats.js";
import { LEAST_FACTOR, clipByNorm, firstNonFinite, multiplyBefore } from "../step/gradient-norms.js";
import type { StepOptions, TensorState } from "./options.js";
import { APART, Plan } from "../step/plan.js";
import { Request } from "../step/step-request.js";
import { packedBytes, sweepRows } from "../step/sparse-rows.js";
import { type CommonOptions, GS, type Run, type Settled } from "./rule.js";
import { ABSENT, NOWHERE, stepsOf } from "../step/tensor-table.js";
import { MAX_SLOTS } from "../wasm/generated/layout/run-list.js";

/** Whether a tensor's slots are flushed after this step: a moment that decays under zero gradients would come to denormals,
 * which are slow, and stay there. Every 256 steps: by the count, so that resuming keeps the bits. */
const flushes = (step: number): boolean => (step & 255) === 0;

const isOccupied = ({ occupied }: { readonly occupied: boolean }): boolean => occupied;

/** An optimizer that updates its tensors from their gradients, one step a call. */
export abstract class StepOptimizer<
  Options extends CommonOptions = CommonOptions,
  Name extends string = string,
  State extends TensorState = TensorState,
> extends Optimizer<Options, Name, State> {
  readonly #run: Run = {
    at: new Uint32Array(3 + MAX_SLOTS),
    c: new Float64Array(0),
    t: 0,
    scalars: new Float64Array(0),
    shared: new Float64Array(0),
    size: 0,
    shape: [],
    scratch: 0,
  };
  /** @internal Whether the caller of `step()` updates its `average`. */
  leavesAverage = false;
  readonly #request = new Request();
  readonly #gradNorm = Float64Array.of(NaN);
  /** Room for the rows of a sparse step, taken when first needed. */
  #packed = 0;
  #plan: Plan | undefined;

  /**
   * Updates every tensor from its gradient, once. Allocates nothing (but for `rows`, and where clipping takes a factor below 2⁻¹²⁶).
   * @returns true; false when a gradient was not finite and `nonFinite` is "skip".
   * @throws RangeError for a name in `skip` or `rows` that is unknown or there twice, a row that is out of range or there
   * twice, a `gradScale` that is not finite, a `clipNorm` below 0, or an `average` of other tensors; TypeError for a wrong
   * type; Error for a gradient that is not finite under `nonFinite: "throw"`, between `eval()` and `train()`, and
   * while an average is applied to one of the tensors. Nothing is changed then.
   * @example
   * optimizer.step();
   * optimizer.step({ skip: ["fc1.bias"], gradScale: 1 / 4 });
   * optimizer.step({ clipNorm: 1, zeroGrad: true, average: ema });
   * optimizer.step({ rows: { embedding: Uint32Array.of(3, 17) } });
   */
  step(options?: StepOptions<Name>): boolean {
    this.checkValues();
    const { table, rule, groups } = this;
    if (this.evaluating && rule.evaluation)
      throw new Error(`${rule.name}: step() moves the parameters for training: call train() first`);
    rule.ready?.(groups);
    const request = this.#request;
    request.reset();
    if (options !== undefined) {
      request.read(options, this);
      if (this.leavesAverage) request.average = request.averages = undefined;
      if (!Number.isNaN(request.clipNorm[0])) clipByNorm(this.arena.kernels, table, request);
    }
    if (this.nonFinite !== "propagate" && !this.#allFinite()) {
      this.#gradNorm[0] = NaN;
      request.averages = undefined;
      if (request.clear) for (let i = 0; i < table.step.length; i++) this.#ride(i);
      return false;
    }
    if (request.rows.size > 0 && this.#packed === 0)
      this.#packed = this.slots.take(packedBytes(2 + table.slots.length), "a sparse step");
    this.#gradNorm[0] = request.norm[0];

    if (this.#plan?.table !== table) {
      this.#plan?.dispose();
      this.#plan = new Plan(table, groups.length, this.arena, rule.scope !== "tensor");
    }
    const plan = this.#plan;
    plan.cut(request.call, request.whole);
    if (this.slots.copied.length > 0) this.#copyParameters(plan);
    if (rule.advance) for (let g = 0; g < groups.length; g++) rule.advance(groups[g].options, groups[g].shared);
    const moved = Math.abs(request.gradScale[0]) < LEAST_FACTOR ? this.#sweepMultiplied(plan) : this.#sweep(plan);
    this.#finish(plan, moved);
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
    this.#plan?.dispose();
    this.#plan = undefined;
    super.dispose();
  }

  /** @internal */
  override prepareLoad(saved: unknown): () => void {
    const write = super.prepareLoad(saved);
    return () => {
      write();
      this.#plan?.forget();
    };
  }

  /** Computes the coefficients of a batch. */
  #settle(plan: Plan, batch: number): void {
    const { table, rule } = this;
    const run = this.#run;
    const lead = plan.lead[batch];
    const { options, c, scalars, shared } = this.groups[table.group[lead]];
    run.c = c;
    run.t = stepsOf(table, lead);
    run.scalars = scalars;
    run.shared = shared;
    for (let k = 0; k < scalars.length; k++) scalars[k] = table.scalars[k][lead];
    c[GS] = options.maximize ? -this.#request.gradScale[0] : this.#request.gradScale[0];
    rule.coefficients?.(c, options, run.t, scalars, shared);
    for (let k = 0; k < scalars.length; k++) plan.scalars[k][batch] = scalars[k];
    if (rule.scope === "tensor") {
      run.size = table.tensors[lead].size;
      run.shape = table.tensors[lead].shape;
      run.scratch = this.slots.scratch;
      return;
    }
    let variant = rule.variant?.(options, c) ?? 0;
    for (let k = 0; k < table.slots.length; k++) variant = 2 * variant + (table.slots[k][lead] === ABSENT ? 0 : 1);
    plan.variant[batch] = !this.#request.whole && this.#request.rows.has(lead) ? APART : variant;
    plan.setCoefficients(batch, c);
  }

  #optionsOf(plan: Plan, batch: number): Settled<Options> {
    return this.groups[this.table.group[plan.lead[batch]]].options;
  }

  #sweep(plan: Plan): boolean {
    return this.rule.scope === "tensor" ? this.#sweepTensors(plan) : this.#sweepRuns(plan);
  }

  /** A sweep of gradients whose factor would lose digits as a float32: they are multiplied before, and given back. */
  #sweepMultiplied(plan: Plan): boolean {
    const giveBack = multiplyBefore(this.arena.kernels, this.table, this.#request);
    const moved = this.#sweep(plan);
    giveBack();
    return moved;
  }

  /** A rule that reduces over each tensor: one by one, all of them first where it must have seen them all. */
  #sweepTensors(plan: Plan): boolean {
    const { rule, groups } = this;
    const { kernels } = this.arena;
    const run = this.#run;
    plan.lay(this.#request.averages);
    for (let b = 0; b < plan.batches; b++) if (this.table.length[plan.lead[b]] === 0) this.#settle(plan, b); // it has no run
    if (rule.gather) {
      const first = groups.find(isOccupied) ?? groups[0];
      rule.gather.before(first.options, first.shared);
      for (let r = 0; r < plan.runs; r++) {
        this.#settle(plan, plan.runBatch[r]);
        plan.aimRun(run.at, r);
        rule.gather.visit(kernels, run, this.#optionsOf(plan, plan.runBatch[r]));
      }
      if (!rule.gather.between(first.options, first.shared)) return false;
    }
    for (let r = 0; r < plan.runs; r++) {
      const batch = plan.runBatch[r];
      this.#settle(plan, batch);
      this.#sweepRun(plan, r);
      for (let k = 0; k < plan.scalars.length; k++) plan.scalars[k][batch] = run.scalars[k];
    }
    return true;
  }

  /** A rule of single elements: a list of runs a call, or a call a run for one alone, and without room for a list. */
  #sweepRuns(plan: Plan): boolean {
    const { rule } = this;
    const run = this.#run;
    for (let b = 0; b < plan.batches; b++) this.#settle(plan, b);
    plan.lay(this.#request.averages);
    const riding = this.#request.rides || this.slots.converter !== 0;
    if ((plan.runs > 1 || riding) && plan.list()) {
      plan.ride(this.#request.clear, this.#request.pace, this.slots.converter);
      for (let call = 0; call < plan.calls; call++) {
        const batch = plan.runBatch[plan.first[call]];
        if (plan.batches > 1) this.#settle(plan, batch); // a kernel is chosen by the coefficients of its own call
        plan.aimList(run.at, call, riding);
        rule.sweep(this.arena.kernels, run, this.#optionsOf(plan, batch));
      }
    } else {
      for (let r = 0; r < plan.runs; r++) {
        if (plan.batches > 1) this.#settle(plan, plan.runBatch[r]);
        this.#sweepRun(plan, r);
      }
    }
    for (let b = 0; b < plan.batches && this.#request.rows.size > 0; b++)
      if (this.#request.rows.has(plan.lead[b])) this.#sweepRows(plan, b);
    return true;
  }

  /** One run by a call of its own, and what rides along. */
  #sweepRun(plan: Plan, r: number): void {
    const { arena } = this;
    const { converter } = this.slots;
    const { at, c } = this.#run;
    if (converter !== 0) {
      plan.aimAlone(at, r, converter, this.#request.clear, this.#request.pace, c);
      this.rule.sweep(arena.kernels, this.#run, this.#optionsOf(plan, plan.runBatch[r]));
      return;
    }
    const average = plan.aimRun(at, r);
    this.rule.sweep(arena.kernels, this.#run, this.#optionsOf(plan, plan.runBatch[r]));
    if (this.#request.clear) arena.fill(at[2], at[0] * 4, 0);
    if (average !== 0) arena.kernels.approach(at[0], average, at[1], this.#request.pace[0]);
  }

  /** What is left when the kernels have run: the tensors' scalars, denormals, and riders of what they did not sweep. */
  #finish(plan: Plan, moved: boolean): void {
    const { table } = this;
    const { batchOf } = plan;
    if (moved) {
      for (let k = 0; k < plan.scalars.length; k++)
        for (let i = 0; i < batchOf.length; i++) if (batchOf[i] >= 0) table.scalars[k][i] = plan.scalars[k][batchOf[i]];
      let flushing = false;
      for (let b = 0; b < plan.batches; b++) if (flushes(stepsOf(table, plan.lead[b]))) flushing = true;
      if (flushing)
        for (let i = 0; i < batchOf.length; i++)
          if (batchOf[i] >= 0 && !this.#request.rows.has(i) && flushes(stepsOf(table, i))) this.#flush(i);
    }
    if (this.#request.rides && (!moved || !this.#request.whole))
      for (let i = 0; i < batchOf.length; i++) if (!moved || batchOf[i] < 0 || this.#request.rows.has(i)) this.#ride(i);
    if (this.#request.averages) this.#request.average?.countUpdate();
    else this.#request.average?.update();
  }

  /** The rows that are asked for of one tensor. */
  #sweepRows(plan: Plan, batch: number): void {
    const { table, rule, arena } = this;
    const run = this.#run;
    const index = plan.lead[batch];
    const rows = this.#request.rows.get(index);
    if (rows === undefined || table.size[index] === 0) return;
    const options = this.#optionsOf(plan, batch);
    this.#settle(plan, batch);
    rule.rows?.coefficients?.(run.c, options, run.t);
    const starts = [table.data[index], table.grad[index], ...table.slots.map((column) => column[index])];
    sweepRows(arena, this.#packed, run, starts, rows, table.size[index] / table.tensors[index].shape[0], () => {
      rule.sweep(arena.kernels, run, options);
      if (flushes(run.t))
        for (const at of run.at.subarray(3, 1 + starts.length))
          if (at !== ABSENT) arena.kernels.flushDenormals(run.at[0], at);
    });
  }

  /** Slots that start at the parameters do so as these are at the first step: they may have been set since. */
  #copyParameters({ batchOf }: Plan): void {
    const { table, arena } = this;
    for (let i = 0; i < batchOf.length; i++)
      if (batchOf[i] >= 0 && stepsOf(table, i) === 1)
        for (const slot of this.slots.copied) arena.copy(table.data[i], table.slots[slot][i], table.length[i] * 4);
  }

  #flush(i: number): void {
    const { table } = this;
    for (let k = 0; k < table.slots.length; k++)
      if (!this.slots.copied.includes(k) && table.slots[k][i] > NOWHERE && table.formats[k][i] === FLOAT32)
        this.arena.kernels.flushDenormals(table.slotSizes[k][i], table.slots[k][i]);
  }

  /** What rides along, of a tensor that no kernel swept as a whole. */
  #ride(i: number): void {
    const { table, arena } = this;
    const rows = this.#request.rows.get(i);
    const { grad, shape, size } = table.tensors[i];
    if (this.#request.clear && rows === undefined) grad.fill(0);
    else if (this.#request.clear && rows) {
      const width = size / shape[0];
      for (const row of rows) grad.fill(0, row * width, (row + 1) * width);
    }
    const average = this.#request.averages?.[i] ?? 0;
    if (average !== 0) arena.kernels.approach(table.length[i], average, table.data[i], this.#request.pace[0]);
  }

  /** Whether the gradients are finite as the rule would see them; throws under `nonFinite: "throw"` when they are not. */
  #allFinite(): boolean {
    const { table, rule } = this;
    if (this.#request.norm[0] < 3.4e38) return true; // with an element that float32 cannot hold it would be larger
    const found = firstNonFinite(this.arena.kernels, table, this.#request);
    if (found === undefined) return true;
    if (this.nonFinite === "skip") return false;
    const { name, grad } = table.tensors[found.tensor];
    const value = grad[found.element];
    const scaled = Number.isFinite(value) ? `, which times "gradScale" is infinite` : "";
    throw new Error(
      `${rule.name}: the gradient of "${clip(name, 100)}" is ${value} at element ${found.element}${scaled}`,
    );
  }
}
