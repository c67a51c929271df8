import { Optimizer } from "./base.js";
import { finite, knownOnly, nameList, record, wrongValue } from "./check.js";
import type { StepOptions } from "./options.js";
import { readRows } from "./rows.js";
import { type CommonOptions, GS, type Run } from "./rule.js";
import { ABSENT, NOWHERE, cutRuns } from "./table.js";

const MAX_SLOTS = 4;
/** Elements that kernels take at a time. */
const VECTORS = 16;
/** Elements of the rows of a sparse step that are packed at a time. */
const PACKED = 4096;
const STEP_OPTIONS = ["skip", "gradScale", "rows"] as const;
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
  readonly #gradScale = new Float64Array(1);
  readonly #rows = new Map<number, Uint32Array>();
  /** Room for {@link PACKED} row numbers and as many elements of each buffer, taken when first needed. */
  #packed = 0;
  #call = 0;

  /**
   * Updates every tensor from its gradient, once. Allocates nothing (but for `rows`).
   * @returns true; false when a gradient was not finite and `nonFinite` is "skip".
   * @throws RangeError for a name in `skip` or `rows` that is unknown or there twice, a row that is out of range or there
   * twice, or a `gradScale` that is not finite; TypeError for a wrong type; Error for a gradient that is not finite under
   * `nonFinite: "throw"`, and between `eval()` and `train()`. Nothing is changed then.
   * @example
   * optimizer.step();
   * optimizer.step({ skip: ["fc1.bias"], gradScale: 1 / 4 });
   * optimizer.step({ rows: { embedding: Uint32Array.of(3, 17) } });
   */
  step(options?: StepOptions<Name>): boolean {
    this.check();
    const { table, rule, groups } = this;
    if (this.evaluating && rule.evaluation)
      throw new Error(`${rule.name}: step() moves the parameters for training: call train() first`);
    rule.ready?.(groups);
    const call = ++this.#call;
    this.#gradScale[0] = 1;
    if (this.#rows.size > 0) this.#rows.clear();
    if (options !== undefined) this.#read(options, call);
    if (this.nonFinite !== "propagate" && !this.#allFinite(call)) return false;

    const runs = cutRuns(table, call, rule.scope !== "tensor");
    if (rule.advance) for (let g = 0; g < groups.length; g++) rule.advance(groups[g].options, groups[g].shared);
    if (rule.gather) {
      rule.gather.before(groups[0].options, groups[0].shared);
      for (let r = 0; r < runs; r++) this.#gather(table.runFirst[r], call);
      if (!rule.gather.between(groups[0].options, groups[0].shared)) return true;
    }
    for (let r = 0; r < runs; r++) this.#sweep(table.runFirst[r], table.runEnd[r], call);
    return true;
  }

  /** Points the run at the tensors from `first` to before `end`, and settles their coefficients; false for none at all. */
  #aim(first: number, end: number, call: number): boolean {
    const { table, rule } = this;
    const run = this.#run;
    const group = this.groups[table.group[first]];
    const { options, computed, before, after, c } = group;
    const t = table.step[first];
    let elements = 0;
    for (let i = first; i < end; i++) elements += table.length[i];
    run.c = c;
    run.t = t;
    run.scalars = after;
    run.shared = group.shared;
    run.at[0] = elements;
    run.at[1] = table.data[first];
    run.at[2] = table.grad[first];
    for (let k = 0; k < table.slots.length; k++) run.at[3 + k] = table.slots[k][first];

    let fresh = rule.scope !== "tensor" && computed[0] === call && computed[1] === t;
    for (let k = 0; fresh && k < before.length; k++) fresh = before[k] === table.scalars[k][first];
    c[GS] = options.maximize ? -this.#gradScale[0] : this.#gradScale[0];
    if (!fresh) {
      for (let k = 0; k < before.length; k++) before[k] = after[k] = table.scalars[k][first];
      rule.coefficients?.(c, options, t, after, group.shared);
      computed[0] = call;
      computed[1] = t;
    }
    if (rule.scope === "tensor") {
      run.size = table.tensors[first].size;
      run.shape = table.tensors[first].shape;
      run.scratch = this.scratch;
    }
    if (t === 1) this.#copyParameters(first, end);
    return elements > 0;
  }

  #gather(first: number, call: number): void {
    if (this.#aim(first, first + 1, call))
      this.rule.gather?.visit(this.arena.kernels, this.#run, this.groups[this.table.group[first]].options);
  }

  /** One run: coefficients, kernel, and what comes after it. */
  #sweep(first: number, end: number, call: number): void {
    const { table, rule } = this;
    const { options, after } = this.groups[table.group[first]];
    if (this.#rows.has(first)) {
      this.#sweepRows(first, call);
    } else if (this.#aim(first, end, call)) {
      rule.sweep(this.arena.kernels, this.#run, options);
      if (this.#run.t % FLUSH_EVERY === 0) this.#flush(first, end);
    }
    for (let k = 0; k < after.length; k++) for (let i = first; i < end; i++) table.scalars[k][i] = after[k];
  }

  /** The given rows of one tensor: packed into one piece, swept, and put back, as many at a time as there is room for. */
  #sweepRows(index: number, call: number): void {
    const { table, rule } = this;
    const rows = this.#rows.get(index);
    const { options, computed } = this.groups[table.group[index]];
    if (rows === undefined || !this.#aim(index, index + 1, call)) return;
    const run = this.#run;
    if (rule.rows?.coefficients) {
      rule.rows.coefficients(run.c, options, run.t);
      computed[0] = 0; // not those of a dense step
    }
    const { kernels, buffer } = this.arena;
    const width = table.tensors[index].size / table.tensors[index].shape[0];
    const columns = Math.min(width, PACKED);
    const many = Math.floor(PACKED / columns);
    const list = this.#packed;
    const numbers = new Uint32Array(buffer, list, PACKED);
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
  #copyParameters(first: number, end: number): void {
    const { table, arena, copiedSlots } = this;
    for (let s = 0; s < copiedSlots.length; s++)
      for (let i = first; i < end; i++) arena.copy(table.data[i], table.slots[copiedSlots[s]][i], table.length[i] * 4);
  }

  /** The slots of packed rows. */
  #flushRun(): void {
    const { at } = this.#run;
    const { kernels } = this.arena;
    for (let k = 3; k < at.length; k++) if (at[k] !== ABSENT) kernels.flushDenormals(at[0], at[k]);
  }

  #flush(first: number, end: number): void {
    const { table, copiedSlots } = this;
    const { kernels } = this.arena;
    for (let k = 0; k < table.slots.length; k++) {
      if (copiedSlots.includes(k)) continue;
      for (let i = first; i < end; i++)
        if (table.slots[k][i] > NOWHERE) kernels.flushDenormals(table.slotSizes[k][i], table.slots[k][i]);
    }
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
      if (key !== "skip" && key !== "gradScale" && key !== "rows") knownOnly(`${name}.step`, "", options, STEP_OPTIONS);
    const { skip, gradScale, rows } = options;
    if (gradScale !== undefined) this.#gradScale[0] = finite.read(name, "gradScale", gradScale);
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
