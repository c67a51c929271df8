import type { Average } from "./average.js";
import { Optimizer } from "./base.js";
import { finite, flag, knownOnly, nameList, nonNegative, record, wrongType, wrongValue } from "./check.js";
import type { StepOptions } from "./options.js";
import { APART, Plan } from "./plan.js";
import { readRows } from "./rows.js";
import { type CommonOptions, GS, type Run, type Settled } from "./rule.js";
import { ABSENT, NOWHERE } from "./table.js";

const MAX_SLOTS = 4;
/** Elements that kernels take at a time. */
const VECTORS = 16;
/** Elements of the rows of a sparse step that are packed at a time. */
const PACKED = 4096;
const STEP_OPTIONS = ["skip", "gradScale", "rows", "clipNorm", "zeroGrad", "average"] as const;
/** When a tensor's step count is a multiple of this, its slots are flushed: a moment that decays under zero gradients
 * would come to denormals, which are slow, and stay there. By the count, so that resuming keeps the bits. */
const FLUSH_EVERY = 256;

/** An optimizer that updates its tensors from their gradients, one step a call. */
export abstract class StepOptimizer<
  Options extends CommonOptions = CommonOptions,
  Name extends string = string,
> extends Optimizer<Options, Name> {
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
  /** Of this step: the factor of every gradient, and the norm above which they are clipped. */
  readonly #gradScale = new Float64Array(1);
  readonly #clipNorm = new Float64Array(1);
  readonly #gradNorm = Float64Array.of(NaN);
  readonly #rows = new Map<number, Uint32Array>();
  /** Room for {@link PACKED} row numbers and as many elements of each buffer, taken when first needed. */
  #packed = 0;
  #call = 0;
  #plan: Plan | undefined;
  /** Whether this step is for all elements of all tensors; what else it does. */
  #whole = true;
  #clear = false;
  #average: Average<string> | undefined;
  #averages: Uint32Array | undefined;

  /**
   * Updates every tensor from its gradient, once. Allocates nothing (but for `rows`).
   * @returns true; false when a gradient was not finite and `nonFinite` is "skip".
   * @throws RangeError for a name in `skip` or `rows` that is unknown or there twice, a row that is out of range or there
   * twice, a `gradScale` that is not finite, a `clipNorm` below 0, or an `average` of other tensors; TypeError for a wrong
   * type; Error for a gradient that is not finite under `nonFinite: "throw"`, and between `eval()` and `train()`. Nothing
   * is changed then.
   * @example
   * optimizer.step();
   * optimizer.step({ skip: ["fc1.bias"], gradScale: 1 / 4 });
   * optimizer.step({ clipNorm: 1, zeroGrad: true, average: ema });
   * optimizer.step({ rows: { embedding: Uint32Array.of(3, 17) } });
   */
  step(options?: StepOptions<Name>): boolean {
    this.check();
    const { table, rule, groups } = this;
    if (this.evaluating && rule.evaluation)
      throw new Error(`${rule.name}: step() moves the parameters for training: call train() first`);
    rule.ready?.(groups);
    const call = ++this.#call;
    this.#reset();
    if (options !== undefined) this.#read(options, call);
    if (this.nonFinite !== "propagate" && !this.#allFinite(call)) {
      this.#averages = undefined;
      if (this.#clear) for (let i = 0; i < table.step.length; i++) this.#ride(i);
      return false;
    }
    if (this.#clipNorm[0] !== Infinity) this.#clip(call);

    if (this.#plan?.table !== table) {
      this.#plan?.dispose();
      this.#plan = new Plan(table, groups.length, this.arena, rule.scope !== "tensor");
    }
    const plan = this.#plan;
    plan.cut(call, this.#whole);
    if (this.copiedSlots.length > 0) this.#copyParameters(plan);
    if (rule.advance) for (let g = 0; g < groups.length; g++) rule.advance(groups[g].options, groups[g].shared);
    const moved = rule.scope === "tensor" ? this.#sweepTensors(plan) : this.#sweepRuns(plan);
    this.#finish(plan, moved);
    return true;
  }

  /** The global norm of the gradients, times `gradScale`, before clipping, at the last step that had a `clipNorm`; NaN before. */
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

  #reset(): void {
    this.#gradScale[0] = 1;
    this.#clipNorm[0] = Infinity;
    this.#whole = true;
    this.#clear = false;
    this.#average = this.#averages = undefined;
    if (this.#rows.size > 0) this.#rows.clear();
  }

  /** Computes the coefficients of a batch. */
  #settle(plan: Plan, batch: number): void {
    const { table, rule } = this;
    const run = this.#run;
    const lead = plan.lead[batch];
    const { options, c, scalars, shared } = this.groups[table.group[lead]];
    run.c = c;
    run.t = table.step[lead];
    run.scalars = scalars;
    run.shared = shared;
    for (let k = 0; k < scalars.length; k++) scalars[k] = table.scalars[k][lead];
    c[GS] = options.maximize ? -this.#gradScale[0] : this.#gradScale[0];
    rule.coefficients?.(c, options, run.t, scalars, shared);
    for (let k = 0; k < scalars.length; k++) plan.scalars[k][batch] = scalars[k];
    if (rule.scope === "tensor") {
      run.size = table.tensors[lead].size;
      run.shape = table.tensors[lead].shape;
      run.scratch = this.scratch;
      return;
    }
    let variant = rule.variant?.(options, c) ?? 0;
    for (let k = 0; k < table.slots.length; k++) variant = 2 * variant + (table.slots[k][lead] === ABSENT ? 0 : 1);
    plan.variant[batch] = this.#rows.has(lead) ? APART : variant;
    plan.setCoefficients(batch, c);
  }

  #optionsOf(plan: Plan, batch: number): Settled<Options> {
    return this.groups[this.table.group[plan.lead[batch]]].options;
  }

  /** A rule that reduces over each tensor: one by one, all of them first where it must have seen them all. */
  #sweepTensors(plan: Plan): boolean {
    const { rule, groups } = this;
    const { kernels } = this.arena;
    const run = this.#run;
    plan.lay(this.#averages);
    if (rule.gather) {
      rule.gather.before(groups[0].options, groups[0].shared);
      for (let r = 0; r < plan.runs; r++) {
        this.#settle(plan, plan.runBatch[r]);
        plan.aimRun(run.at, r);
        rule.gather.visit(kernels, run, this.#optionsOf(plan, plan.runBatch[r]));
      }
      if (!rule.gather.between(groups[0].options, groups[0].shared)) return false;
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
    plan.lay(this.#averages);
    const riding = this.#clear || this.#averages !== undefined;
    if ((plan.runs > 1 || riding) && plan.list()) {
      plan.ride(this.#clear, this.#average?.pace ?? 0);
      for (let call = 0; call < plan.calls; call++) {
        plan.aimList(run.at, call, riding);
        const { options, c } = this.groups[this.table.group[plan.lead[plan.runBatch[plan.first[call]]]]];
        run.c = c;
        rule.sweep(this.arena.kernels, run, options);
      }
    } else {
      for (let r = 0; r < plan.runs; r++) {
        if (plan.batches > 1) this.#settle(plan, plan.runBatch[r]);
        this.#sweepRun(plan, r);
      }
    }
    for (let b = 0; b < plan.batches && this.#rows.size > 0; b++)
      if (this.#rows.has(plan.lead[b])) {
        this.#settle(plan, b);
        this.#sweepRows(plan.lead[b]);
      }
    return true;
  }

  /** One run by a call of its own, and what rides along. */
  #sweepRun(plan: Plan, r: number): void {
    const { arena } = this;
    const { at } = this.#run;
    const average = plan.aimRun(at, r);
    this.rule.sweep(arena.kernels, this.#run, this.#optionsOf(plan, plan.runBatch[r]));
    if (this.#clear) arena.fill(at[2], at[0] * 4, 0);
    if (average !== 0) arena.kernels.approach(at[0], average, at[1], this.#average?.pace ?? 0);
  }

  /** What is left when the kernels have run: the tensors' scalars, denormals, and riders of what they did not sweep. */
  #finish(plan: Plan, moved: boolean): void {
    const { table } = this;
    const { batchOf } = plan;
    if (moved) {
      for (let k = 0; k < plan.scalars.length; k++)
        for (let i = 0; i < batchOf.length; i++) if (batchOf[i] >= 0) table.scalars[k][i] = plan.scalars[k][batchOf[i]];
      let flushing = false;
      for (let b = 0; b < plan.batches; b++) if (table.step[plan.lead[b]] % FLUSH_EVERY === 0) flushing = true;
      if (flushing)
        for (let i = 0; i < batchOf.length; i++)
          if (batchOf[i] >= 0 && !this.#rows.has(i) && table.step[i] % FLUSH_EVERY === 0) this.#flush(i);
    }
    if ((this.#clear || this.#averages) && (!moved || !this.#whole))
      for (let i = 0; i < batchOf.length; i++) if (!moved || batchOf[i] < 0 || this.#rows.has(i)) this.#ride(i);
    if (this.#averages) this.#average?.moved();
    else this.#average?.update();
  }

  /** The given rows of one tensor: packed into one piece, swept, and put back, as many at a time as there is room for. */
  #sweepRows(index: number): void {
    const { table, rule } = this;
    const rows = this.#rows.get(index);
    const { options } = this.groups[table.group[index]];
    if (rows === undefined || table.length[index] === 0) return;
    const run = this.#run;
    rule.rows?.coefficients?.(run.c, options, run.t);
    const { kernels, buffer } = this.arena;
    const width = table.tensors[index].size / table.tensors[index].shape[0];
    const columns = Math.min(width, PACKED);
    const many = Math.floor(PACKED / columns);
    const list = this.#packed;
    const numbers = new Uint32Array(buffer, list, PACKED);
    run.at.set([0, table.data[index], table.grad[index], ...table.slots.map((column) => column[index])]);
    const starts = run.at.slice(0, 3 + table.slots.length);
    for (let k = 1; k < starts.length; k++) if (starts[k] !== ABSENT) run.at[k] = list + k * PACKED * 4;
    for (let r = 0; r < rows.length; r += many) {
      const n = Math.min(many, rows.length - r);
      numbers.set(rows.subarray(r, r + n));
      for (let first = 0; first < width; first += columns) {
        const taken = Math.min(columns, width - first);
        run.at[0] = Math.ceil((n * taken) / VECTORS) * VECTORS;
        for (let k = 1; k < starts.length; k++)
          if (starts[k] !== ABSENT) kernels.gatherRows(n, list, starts[k] + first * 4, width * 4, taken * 4, run.at[k]);
        rule.sweep(kernels, run, options);
        if (run.t % FLUSH_EVERY === 0) this.#flushRun();
        for (let k = 1; k < starts.length; k++)
          if (starts[k] !== ABSENT && k !== 2)
            kernels.scatterRows(n, list, starts[k] + first * 4, width * 4, taken * 4, run.at[k]);
      }
    }
  }

  /** Slots that start at the parameters do so as these are at the first step: they may have been set since. */
  #copyParameters({ batchOf }: Plan): void {
    const { table, arena, copiedSlots } = this;
    for (let i = 0; i < batchOf.length; i++)
      if (batchOf[i] >= 0 && table.step[i] === 1)
        for (const slot of copiedSlots) arena.copy(table.data[i], table.slots[slot][i], table.length[i] * 4);
  }

  /** The slots of packed rows. */
  #flushRun(): void {
    const { at } = this.#run;
    const { kernels } = this.arena;
    for (let k = 3; k < at.length; k++) if (at[k] !== ABSENT) kernels.flushDenormals(at[0], at[k]);
  }

  #flush(i: number): void {
    const { table, copiedSlots } = this;
    for (let k = 0; k < table.slots.length; k++)
      if (!copiedSlots.includes(k) && table.slots[k][i] > NOWHERE)
        this.arena.kernels.flushDenormals(table.slotSizes[k][i], table.slots[k][i]);
  }

  /** What rides along, of a tensor that no kernel swept as a whole. */
  #ride(i: number): void {
    const { table, arena } = this;
    const rows = this.#rows.get(i);
    const { grad, shape, size } = table.tensors[i];
    if (this.#clear && rows === undefined) grad.fill(0);
    else if (this.#clear && rows) {
      const width = size / shape[0];
      for (const row of rows) grad.fill(0, row * width, (row + 1) * width);
    }
    const average = this.#averages?.[i] ?? 0;
    if (average !== 0) arena.kernels.approach(table.length[i], average, table.data[i], this.#average?.pace ?? 0);
  }

  /** Takes the norm of this step's gradients, and its clipping into their factor. */
  #clip(call: number): void {
    const { table } = this;
    const { kernels } = this.arena;
    let sum = 0;
    for (let i = 0; i < table.step.length; i++) {
      if (table.skipped[i] === call) continue;
      const rows = this.#rows.get(i);
      if (rows === undefined) sum += kernels.sumOfSquares(table.tensors[i].size, table.grad[i]);
      else
        for (let r = 0; r < rows.length; r++) {
          const width = table.tensors[i].size / table.tensors[i].shape[0];
          sum += kernels.sumOfSquares(width, table.grad[i] + rows[r] * width * 4);
        }
    }
    const norm = Math.sqrt(sum) * Math.abs(this.#gradScale[0]);
    this.#gradNorm[0] = norm;
    this.#gradScale[0] *= Math.min(1, this.#clipNorm[0] / (norm + 1e-6));
  }

  /** Whether the gradients that this step would use are finite; throws under `nonFinite: "throw"` when they are not. */
  #allFinite(call: number): boolean {
    const { table, rule } = this;
    const { kernels } = this.arena;
    for (let i = 0; i < table.tensors.length; i++) {
      if (table.skipped[i] === call) continue;
      const { size, shape, name } = table.tensors[i];
      const rows = this.#rows.get(i);
      let at = -1;
      if (rows === undefined) at = size > 0 ? kernels.firstNonFinite(size, table.grad[i]) : -1;
      else
        for (let r = 0; r < rows.length && at < 0; r++) {
          const width = size / shape[0];
          at = kernels.firstNonFinite(width, table.grad[i] + rows[r] * width * 4);
          if (at >= 0) at += rows[r] * width;
        }
      if (at < 0) continue;
      if (this.nonFinite === "skip") return false;
      throw new Error(`${rule.name}: the gradient of "${name}" is ${table.tensors[i].grad[at]} at element ${at}`);
    }
    return true;
  }

  /** Checks the options of a step, marks what it skips, and keeps its `gradScale` and `rows`. */
  #read(options: StepOptions<Name>, call: number): void {
    const { name } = this.rule;
    record(name, "step options", options);
    for (const key in options)
      if (!STEP_OPTIONS.includes(key as (typeof STEP_OPTIONS)[number]))
        knownOnly(`${name}.step`, "", options, STEP_OPTIONS);
    const { skip, gradScale, rows, clipNorm, zeroGrad, average } = options;
    if (gradScale !== undefined) this.#gradScale[0] = finite.read(name, "gradScale", gradScale);
    if (clipNorm !== undefined) this.#clipNorm[0] = nonNegative.read(name, "clipNorm", clipNorm);
    if (zeroGrad !== undefined) this.#clear = flag.read(name, "zeroGrad", zeroGrad);
    if (average !== undefined) this.#readAverage(average);
    this.#whole = skip === undefined && rows === undefined;
    if (skip !== undefined) {
      nameList(name, "skip", skip);
      const { skipped } = this.table;
      for (let k = 0; k < skip.length; k++) {
        const index = this.indexOf.get(skip[k]);
        if (index === undefined) throw wrongValue(name, `skip[${k}]`, "one of the optimizer's tensors", skip[k]);
        if (skipped[index] === call) throw wrongValue(name, `skip[${k}]`, "each tensor once", skip[k]);
        skipped[index] = call;
      }
    }
    if (rows !== undefined) this.#readRows(record(name, "rows", rows), call);
  }

  #readAverage(average: Average<string>): void {
    const { name } = this.rule;
    if (typeof (average as Partial<typeof average>).along !== "function")
      throw wrongType(name, "average", "a WeightEma or a WeightAverage", average);
    const addresses = average.along(name, this.table.tensors);
    if (average.updates > 0) this.#averages = addresses; // the first update copies
    this.#average = average;
  }

  #readRows(rows: Readonly<Record<string, unknown>>, call: number): void {
    const { rule, table, groups, indexOf } = this;
    const { name } = rule;
    const checked: [number, Uint32Array][] = [];
    for (const [tensorName, value] of Object.entries(rows)) {
      const option = `rows.${tensorName}`;
      const index = indexOf.get(tensorName);
      if (index === undefined) throw wrongValue(name, option, "one of the optimizer's tensors", tensorName);
      const { shape } = table.tensors[index];
      const refusal = rule.rows
        ? rule.rows.refuses?.(groups[table.group[index]].options)
        : "a rule that has sparse steps";
      if (refusal !== undefined) throw wrongValue(name, option, refusal, value);
      if (shape.length !== 2) throw wrongValue(name, option, "a 2-D tensor", shape);
      if (table.skipped[index] === call) throw wrongValue(name, option, "a tensor that is not skipped", tensorName);
      checked.push([index, readRows(name, option, value, shape[0])]);
    }
    if (checked.length > 0 && this.#packed === 0)
      this.#packed = this.takeBlock((3 + table.slots.length) * PACKED * 4, "a sparse step");
    for (const [index, value] of checked) {
      this.#rows.set(index, value);
      table.sparse[index] = call;
    }
  }
}
