// What one call of step() asks for: its options, checked, and what clipping makes of them.
import type { Average } from "../averages/average.js";
import {
  TENSOR_NAMES,
  array,
  atLeast0,
  finite,
  flag,
  knownOnly,
  lookUp,
  record,
  wrongType,
  wrongValue,
} from "../util/check.js";
import type { StateFormat } from "../state/small-formats.js";
import { ALIASES } from "../optimizer/groups.js";
import type { StepOptions } from "../optimizer/options.js";
import type { CommonOptions, Group, Rule } from "../optimizer/rule.js";
import type { Table } from "./tensor-table.js";

const KNOWN = ["skip", "gradScale", "rows", "clipNorm", "zeroGrad", "average"] as const;

/** Throws for an option that is unknown. */
export const knownStepOptions = (owner: string, options: object, known: readonly string[]): void =>
  knownOnly(owner, "", options, known, { aliases: ALIASES });

/** What a request needs to know of its optimizer. */
export interface Target<Options extends CommonOptions> {
  readonly rule: Rule<Options>;
  readonly table: Table;
  readonly groups: readonly Group<Options>[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly stateFormat: StateFormat;
}

/** One step's options by tensor index. Reused from step to step, so that a step allocates nothing. */
export class StepRequest {
  // Numbers are arrays of one element: V8 would box a field.
  /** The factor of every gradient, clipping included. */
  readonly gradScale = Float64Array.of(1);
  /** The norm above which gradients are clipped, and the norm that they have; NaN without clipping. */
  readonly clipNorm = Float64Array.of(NaN);
  readonly norm = Float64Array.of(NaN);
  /** Whether all tensors are updated as a whole: none is skipped, and there are no `rows`. */
  whole = true;
  /** 1 for each tensor that is skipped. */
  skipped = new Uint8Array(0);
  /** The rows to update, of each tensor of which the others stay. */
  readonly rows: (Uint32Array | undefined)[] = [];
  /** Address of the scratch of sparse steps; 0 before the first. */
  packed = 0;
  zeroGrad = false;
  average: Average<string> | undefined;
  /** The average's addresses by tensor, 0 for none; undefined without an average and in its first update, which copies. */
  averages: Uint32Array | undefined;
  /** The weight with which averages approach the parameters. */
  averageWeight = new Float64Array(1);
  /** Whether the sweep has already cleared the gradients and updated the averages of the tensors that it swept. */
  fusedDone = false;

  /** Whether gradients are cleared or averages updated along with the sweep. */
  get fused(): boolean {
    return this.zeroGrad || this.averages !== undefined;
  }

  /** Back to a plain step of this many tensors. */
  reset(tensors: number): void {
    this.gradScale[0] = 1;
    this.clipNorm[0] = this.norm[0] = NaN;
    if (this.skipped.length !== tensors) this.skipped = new Uint8Array(tensors);
    if (!this.whole) {
      this.skipped.fill(0);
      if (this.rows.length > 0) this.rows.length = 0; // slow
    }
    this.whole = true;
    this.zeroGrad = this.fusedDone = false;
    this.average = this.averages = undefined;
  }

  /** Checks the options of a step and takes them. */
  read<Options extends CommonOptions>(options: StepOptions, target: Target<Options>): void {
    const { rule, table, indexOf } = target;
    const { name } = rule;
    record(name, "step options", options);
    for (const key in options)
      if (!KNOWN.includes(key as (typeof KNOWN)[number])) knownStepOptions(`${name}.step`, options, KNOWN);
    const { skip, gradScale = 1, rows, clipNorm, zeroGrad = false, average } = options;
    // `read` is called for wrong numbers only: a number that is passed on might be boxed.
    if (!(Number.isFinite(gradScale) && Math.abs(gradScale) < 3e38)) finite.read(name, "gradScale", gradScale);
    this.gradScale[0] = gradScale;
    if (clipNorm !== undefined) {
      if (!(Number.isFinite(clipNorm) && clipNorm >= 0)) atLeast0.read(name, "clipNorm", clipNorm);
      this.clipNorm[0] = clipNorm;
    }
    this.zeroGrad = flag.read(name, "zeroGrad", zeroGrad);
    if (average !== undefined) {
      if (typeof (average as Partial<typeof average> | null)?.joinStep !== "function")
        throw wrongType(name, "average", "a WeightEma or a WeightAverage", average);
      average.joinStep(this, name, table.tensors);
    }
    this.whole = skip === undefined && rows === undefined;
    if (skip !== undefined) {
      array(name, "skip", skip, TENSOR_NAMES);
      for (let k = 0; k < skip.length; k++) {
        const i = indexOf.get(skip[k]) ?? lookUp(name, `skip[${k}]`, indexOf, skip[k]);
        if (this.skipped[i] === 1) throw wrongValue(name, `skip[${k}]`, "each tensor once", skip[k]);
        this.skipped[i] = 1;
      }
    }
    if (rows !== undefined)
      for (const [tensor, value] of Object.entries(record(name, "rows", rows))) {
        const option = `rows.${tensor}`;
        const i = lookUp(name, option, indexOf, tensor);
        if (!rule.rows) throw wrongValue(name, option, "a rule that has sparse steps", value);
        this.rows[i] = rule.rows.read(this, option, value, i, target);
      }
  }
}
