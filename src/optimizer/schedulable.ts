/** Marks what has parameter groups as an optimizer has, though it is none: schedules take it. */
export const SCHEDULABLE = Symbol.for("gradstep/schedulable");
