// The plain model: copies of tensors, and optimizers as the loops of test/support/reference, with the same bits as the real ones.
import type { NonFinitePolicy } from "../../src/optimizer/rule.js";
import { type Plain, type Settled, f, gradientOf } from "../support/reference/common.js";
import { type SmallFormat, kept, kindOf } from "../support/reference/small.js";
import { orderedSum } from "../support/reference/sums.js";
import type { Row } from "../rules/table.js";

/** A tensor as it must be. */
export interface PlainTensor {
  readonly name: string;
  readonly shape: readonly number[];
  p: Float32Array;
  g: Float32Array;
}

/** A group's options as they are, as they were when it was made, and the numbers that its tensors have in common. */
export interface PlainGroup {
  options: Settled;
  readonly made: Settled;
  shared: Record<string, number>;
}

/** A tensor in an optimizer, with its state. */
export interface Member {
  readonly tensor: PlainTensor;
  readonly group: number;
  t: number;
  plain: Plain;
}

/** What a step is asked for. */
export interface Asked {
  readonly skip: ReadonlySet<string>;
  readonly rows: ReadonlyMap<string, readonly number[]>;
  readonly gradScale: number;
  readonly clipNorm: number | undefined;
  readonly zeroGrad: boolean;
}

/** x ← x + w(y − x), as averages, slow weights and schedule-free rules do. */
export function approach(x: Float32Array, y: Float32Array, w: number): void {
  const c = f(w);
  for (let i = 0; i < x.length; i++) x[i] = f(x[i] + f(c * f(y[i] - x[i])));
}

const DENORMAL = 2 ** -126;
const widthOf = ({ shape, p }: PlainTensor): number => p.length / shape[0];

/** An optimizer as it must be. */
export class PlainOptimizer {
  /** In the order in which the real one has them: by address, group by group as they were added. */
  members: Member[] = [];
  groups: PlainGroup[] = [];
  evaluating = false;
  gradNorm = NaN;

  constructor(
    readonly row: Row,
    readonly format: "float32" | SmallFormat,
    readonly nonFinite: NonFinitePolicy,
  ) {}

  get tensors(): PlainTensor[] {
    return this.members.map(({ tensor }) => tensor);
  }

  /** Whether the rule has parameters for evaluation. */
  get evaluates(): boolean {
    return this.row.rule.startsWith("ScheduleFree");
  }

  /** Takes a group; tensors come by {@link addMember}. */
  addGroup(options: Settled): void {
    const before = this.row.together ? this.groups.at(0)?.shared : undefined;
    const shared = before ?? this.row.shared?.start(options) ?? {};
    this.groups.push({ options: { ...options }, made: { ...options }, shared });
  }

  /** Takes a tensor whose slots have these lengths. */
  addMember(tensor: PlainTensor, group: number, slots: Readonly<Record<string, number>>): void {
    const { options, shared } = this.groups[group];
    const starts = this.row.start?.(options) ?? {};
    const filled = Object.entries(slots).map(([slot, length]) => {
      const start = starts[slot] ?? 0;
      return [slot, start === "parameters" ? tensor.p.slice() : new Float32Array(length).fill(start)] as const;
    });
    const plain: Plain = {
      shape: tensor.shape,
      p: tensor.p,
      g: tensor.g,
      slots: Object.fromEntries(filled),
      scalars: { ...this.row.scalars },
      shared,
    };
    const member = { tensor, group, t: 0, plain };
    this.members.push(member);
    this.#keep(member);
  }

  /** Whether the gradients that a step would use are finite, by their factor too. */
  finite({ skip, rows }: Asked, gradScale: number): boolean {
    const factor = Math.max(1, Math.abs(f(gradScale))); // a smaller one makes nothing infinite
    return this.members.every(({ tensor }) => {
      if (skip.has(tensor.name)) return true;
      const width = widthOf(tensor);
      const chosen = rows.get(tensor.name);
      return tensor.g.every(
        (g, i) => Number.isFinite(f(g * (factor || 1))) || chosen?.includes(Math.floor(i / width)) === false,
      );
    });
  }

  /** One step; false when the policy skips it. */
  step(asked: Asked): boolean {
    const { gradScale, norm } = this.scaleOf(asked);
    const skipped = this.nonFinite === "skip" && !this.finite(asked, gradScale);
    this.gradNorm = skipped ? NaN : norm;
    if (!skipped) this.#move(asked, gradScale);
    this.#clear(asked);
    return !skipped;
  }

  #move(asked: Asked, gradScale: number): void {
    const { row, groups } = this;
    const active = this.members.filter(({ tensor }) => !asked.skip.has(tensor.name));
    const starts = (member: Member): [string, number | "parameters"][] =>
      Object.entries(row.start?.(groups[member.group].options) ?? {});
    for (const member of active)
      if (++member.t === 1)
        for (const [slot, start] of starts(member))
          if (start === "parameters") member.plain.slots[slot].set(member.tensor.p);

    for (const { options, shared } of groups) row.shared?.advance?.(options, shared);
    const { options, shared } = groups[0];
    const all = active.map(({ plain }) => plain);
    // A factor of fewer digits than float32 has is taken in two steps, before the rule.
    const early = gradScale !== 0 && Math.abs(gradScale) < 2 ** -126;
    const scale = early ? Math.sign(gradScale) : gradScale;
    const kept = all.map(({ g }) => g.slice());
    if (early) for (const { g } of all) multiply(multiply(g, 2 ** -100), Math.abs(gradScale) / 2 ** -100);
    const optionsOf = (plain: Plain): Settled => groups[active[all.indexOf(plain)].group].options;
    const waits = row.rule === "Prodigy" && options.lr === 0;
    if (!row.gather || (!waits && row.gather(all, options, scale, shared, optionsOf)))
      for (const member of active) this.#update(member, asked.rows.get(member.tensor.name), scale);
    if (early) all.forEach(({ g }, i) => g.set(kept[i]));
  }

  #update(member: Member, rows: readonly number[] | undefined, gradScale: number): void {
    const { plain, t, tensor } = member;
    const { options } = this.groups[member.group];
    const flush = t % 256 === 0;
    if (rows === undefined) {
      this.row.update(plain, options, t, gradScale);
      if (flush) this.#flush(member);
      this.#keep(member);
      return;
    }
    // Those rows alone, as a tensor of their own. Adam's are SparseAdam's: its corrections are folded as Keras does.
    const width = widthOf(tensor);
    const pick = (x: Float32Array): Float32Array => Float32Array.from(rows.flatMap((r) => [...part(x, r, width)]));
    const slots = Object.entries(plain.slots).map(([slot, x]) => [slot, pick(x)] as const);
    const some: Plain = { ...plain, p: pick(plain.p), g: pick(plain.g), slots: Object.fromEntries(slots) };
    if (this.row.rule === "Adam" && options.dialect !== "keras") {
      some.g = Float32Array.from(some.g, (_, i) => gradientOf(some, options, gradScale, f(options.weightDecay))(i));
      this.row.update(some, { ...options, dialect: "keras", weightDecay: 0, maximize: false }, t, 1);
    } else this.row.update(some, options, t, gradScale);
    if (flush) for (const [, x] of slots) flushDenormals(x);
    rows.forEach((r, i) => {
      part(plain.p, r, width).set(part(some.p, i, width));
      for (const [slot, x] of slots) part(plain.slots[slot], r, width).set(part(x, i, width));
    });
  }

  /** The gradients' factor, and their norm where one is taken. */
  scaleOf({ skip, rows, clipNorm, gradScale }: Asked): { gradScale: number; norm: number } {
    if (clipNorm === undefined) return { gradScale, norm: NaN };
    let sum = 0;
    for (const { tensor } of this.members) {
      if (skip.has(tensor.name)) continue;
      const { g, name } = tensor;
      const width = widthOf(tensor);
      const pieces = rows.get(name)?.map((r) => part(g, r, width)) ?? [g];
      for (const x of pieces) sum += orderedSum(x.length, (i) => x[i] * x[i]);
    }
    const norm = Math.sqrt(sum) * Math.abs(gradScale);
    return { gradScale: gradScale * (clipNorm === Infinity ? 1 : Math.min(1, clipNorm / (norm + 1e-6))), norm };
  }

  #clear({ zeroGrad, rows }: Asked): void {
    if (!zeroGrad) return;
    for (const { tensor } of this.members) {
      const chosen = rows.get(tensor.name);
      if (chosen) for (const r of chosen) part(tensor.g, r, widthOf(tensor)).fill(0);
      else tensor.g.fill(0);
    }
  }

  /** Where the rule flushes denormals: in slots that stay float32 and are no copies of the parameters. */
  #flush({ plain, group }: Member): void {
    const starts = this.row.start?.(this.groups[group].options) ?? {};
    for (const [slot, x] of Object.entries(plain.slots))
      if (starts[slot] !== "parameters" && !this.#isSmall(slot, group, x.length)) flushDenormals(x);
  }

  #isSmall(slot: string, group: number, length: number): boolean {
    const kind = kindOf(slot, this.groups[group].options.centered);
    return this.format !== "float32" && kind !== "exact" && (this.format === "bfloat16" || length >= 4096);
  }

  /** Rounds the slots of a tensor to the format they are kept in. */
  #keep({ plain, group, t }: Member): void {
    const { format } = this;
    if (format === "float32") return;
    Object.entries(plain.slots).forEach(([slot, x], k) => {
      const place = this.row.rule === "RMSprop" && slot === "momentumBuffer" ? 2 : k;
      if (this.#isSmall(slot, group, x.length))
        x.set(kept(x, format, kindOf(slot, this.groups[group].options.centered), place, t));
    });
  }

  /** The parameters for evaluation, or for training again, of a rule that tells them apart. */
  swap(evaluating: boolean): void {
    if (!this.evaluates || this.evaluating === evaluating) return;
    this.evaluating = evaluating;
    for (const { tensor, plain, group, t } of this.members) {
      const { betas, momentum } = this.groups[group].options;
      const beta = this.row.rule === "ScheduleFreeSGD" ? momentum : betas[0];
      if (t > 0) approach(tensor.p, plain.slots.z, evaluating ? 1 - 1 / beta : 1 - beta);
    }
  }

  /** Another with the same state, on these tensors; their values are not touched. */
  copy(tensors: ReadonlyMap<string, PlainTensor>): PlainOptimizer {
    const other = new PlainOptimizer(this.row, this.format, this.nonFinite);
    other.restore(this, tensors);
    return other;
  }

  /** Takes the state of another: of the same tensors by name, in the order in which they are here. */
  restore(saved: PlainOptimizer, tensors: ReadonlyMap<string, PlainTensor>): void {
    const sharing = new Map<object, Record<string, number>>();
    const share = (shared: Record<string, number>): Record<string, number> => {
      if (!sharing.has(shared)) sharing.set(shared, { ...shared });
      return sharing.get(shared)!;
    };
    this.groups = saved.groups.map(({ options, made, shared }) => ({
      options: { ...options },
      made,
      shared: share(shared),
    }));
    const order = this.members.map(({ tensor: { name } }) => name);
    const members = [...saved.members].sort((a, b) => order.indexOf(a.tensor.name) - order.indexOf(b.tensor.name));
    this.members = members.map(({ tensor: { name }, group, t, plain }) => {
      const tensor = tensors.get(name)!;
      const slots = Object.fromEntries(Object.entries(plain.slots).map(([slot, x]) => [slot, x.slice()]));
      const { shared } = this.groups[group];
      return {
        tensor,
        group,
        t,
        plain: { ...plain, p: tensor.p, g: tensor.g, slots, scalars: { ...plain.scalars }, shared },
      };
    });
    this.evaluating = saved.evaluating;
  }
}

const part = (x: Float32Array, row: number, width: number): Float32Array => x.subarray(row * width, (row + 1) * width);

function multiply(x: Float32Array, factor: number): Float32Array {
  for (let i = 0; i < x.length; i++) x[i] = f(x[i] * f(factor));
  return x;
}

function flushDenormals(x: Float32Array): void {
  for (let i = 0; i < x.length; i++) if (Math.abs(x[i]) < DENORMAL) x[i] = 0;
}
