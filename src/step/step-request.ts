import type { Average } from "../averages/average.js";
import { atLeast0, finite, flag, knownOnly, nameList, record, wrongType, wrongValue } from "../util/check.js";
import type { StateFormat } from "../state/small-formats.js";
import type { Group } from "../optimizer/groups.js";
import type { StepOptions } from "../optimizer/options.js";
import { readRows } from "./sparse-rows.js";
import type { CommonOptions, Rule } from "../optimizer/rule.js";
import type { Table } from "./tensor-table.js";

const KNOWN = ["skip", "gradScale", "rows", "clipNorm", "zeroGrad", "average"] as const;

/** What a request knows of its optimizer. */
interface Asked<Options extends CommonOptions> {
  readonly rule: Rule<Options>;
  readonly table: Table;
  readonly groups: readonly Group<Options>[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly stateFormat: StateFormat;
}

/** What one call of `step()` is asked for; used again for the next, so that a step allocates nothing. */
export class Request {
  /** The call's number; the table has those of the calls that last skipped a tensor, or took some of its rows. */
  call = 0;
  /** The factor of every gradient, clipping included: an array, since a field would box it. */
  readonly gradScale = Float64Array.of(1);
  /** The norm above which gradients are clipped, and the norm that they have; NaN where that is not asked for. */
  readonly clipNorm = Float64Array.of(NaN);
  readonly norm = Float64Array.of(NaN);
  /** Whether it is for all elements of all tensors. */
  whole = true;
  /** Whether gradients are cleared. */
  clear = false;
  average: Average<string> | undefined;
  /** The addresses of the averages by tensor, or 0, unless there are none or they are yet to be copied. */
  averages: Uint32Array | undefined;
  /** The weight with which the averages approach the parameters. */
  pace = new Float64Array(1);
  /** The rows of the tensors of which only some are updated. */
  readonly rows = new Map<number, Uint32Array>();

  /** Whether something rides along with the sweep. */
  get rides(): boolean {
    return this.clear || this.averages !== undefined;
  }

  /** Begins the next. */
  reset(): void {
    this.call++;
    this.gradScale[0] = 1;
    this.clipNorm[0] = this.norm[0] = NaN;
    this.whole = true;
    this.clear = false;
    this.average = this.averages = undefined;
    if (this.rows.size > 0) this.rows.clear();
  }

  /** Checks and takes the options of a step. */
  read<Options extends CommonOptions>(options: StepOptions, of: Asked<Options>): void {
    const { name } = of.rule;
    record(name, "step options", options);
    for (const key in options)
      if (!KNOWN.includes(key as (typeof KNOWN)[number])) knownOnly(`${name}.step`, "", options, KNOWN);
    const { skip, gradScale = 1, rows, clipNorm, zeroGrad = false, average } = options;
    // Only what is wrong is passed on, to be told: a number might be boxed for that.
    if (!(Number.isFinite(gradScale) && Math.abs(gradScale) < 3e38)) finite.read(name, "gradScale", gradScale);
    this.gradScale[0] = gradScale;
    if (clipNorm !== undefined) {
      if (!(Number.isFinite(clipNorm) && clipNorm >= 0)) atLeast0.read(name, "clipNorm", clipNorm);
      this.clipNorm[0] = clipNorm;
    }
    this.clear = flag.read(name, "zeroGrad", zeroGrad);
    if (average !== undefined) this.#readAverage(average, name, of.table);
    this.whole = skip === undefined && rows === undefined;
    if (skip !== undefined) this.#readSkip(skip, name, of);
    if (rows !== undefined) this.#readRows(record(name, "rows", rows), of);
  }

  #readAverage(average: Average<string>, owner: string, table: Table): void {
    if (typeof (average as Partial<typeof average> | null)?.addressesFor !== "function")
      throw wrongType(owner, "average", "a WeightEma or a WeightAverage", average);
    const addresses = average.addressesFor(owner, table.tensors);
    if (average.updates > 0) this.averages = addresses; // the first update copies
    this.average = average;
    this.pace = average.nextWeight;
  }

  #readSkip<Options extends CommonOptions>(
    skip: readonly string[],
    owner: string,
    { table, indexOf }: Asked<Options>,
  ): void {
    nameList(owner, "skip", skip);
    const { skipped } = table;
    for (let k = 0; k < skip.length; k++) {
      const index = indexOf.get(skip[k]);
      if (index === undefined) throw wrongValue(owner, `skip[${k}]`, "one of the optimizer's tensors", skip[k]);
      if (skipped[index] === this.call) throw wrongValue(owner, `skip[${k}]`, "each tensor once", skip[k]);
      skipped[index] = this.call;
    }
  }

  #readRows<Options extends CommonOptions>(
    rows: Readonly<Record<string, unknown>>,
    { rule, table, groups, indexOf, stateFormat }: Asked<Options>,
  ): void {
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
      if (stateFormat !== "float32") throw wrongValue(name, option, `nothing with stateFormat "${stateFormat}"`, value);
      if (shape.length !== 2) throw wrongValue(name, option, "a 2-D tensor", shape);
      if (table.skipped[index] === this.call)
        throw wrongValue(name, option, "a tensor that is not skipped", tensorName);
      checked.push([index, readRows(name, option, value, shape[0])]);
    }
    for (const [index, value] of checked) {
      this.rows.set(index, value);
      table.sparse[index] = this.call;
    }
  }
}
