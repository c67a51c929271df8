// What a person sees of an optimizer.
import { type Description, textOf } from "../util/describe.js";
import { countOf } from "../memory/tensor.js";
import { type Table, stepsOf } from "../step/tensor-table.js";

/** What is expected as options. */
export const EXAMPLE = "an object, such as { lr: 0.001 }";

/** Names of other libraries' optimizers: see `describe`. */
export const FOREIGN =
  "lr,learning_rate,setLearningRate=paramGroups[0].lr momentum=paramGroups[0].momentum " +
  "weight_decay=paramGroups[0].weightDecay betas,beta1,beta_1=paramGroups[0].betas param_groups=paramGroups " +
  "minimize,apply_gradients=step() zero_grad add_param_group state_dict load_state_dict";

type Group = Readonly<Record<string, unknown>> & { readonly params: readonly string[] };

/** The options of the first group that are not off, those of the others that differ, and how far training is. */
export function describeOptimizer(optimizer: {
  readonly rule: { readonly name: string };
  readonly paramGroups: readonly object[];
  readonly table: Table;
}): Description {
  const { rule, table } = optimizer;
  const [first, ...others] = (optimizer.paramGroups as readonly Group[]).map(
    ({ lr, weightDecay, maximize, dialect, ...own }): Group => ({ lr, ...own, weightDecay, maximize, dialect }),
  );
  const pick = (group: Group, shown: (value: unknown, name: string) => unknown): Record<string, unknown> =>
    Object.fromEntries(Object.entries(group).filter(([name, value]) => shown(value, name)));
  const fields = {
    ...pick(first, (value, name) => ![false, null, "torch"].includes(value as string) && name !== "params"),
    ...(others[0] && {
      groups: others.map((group) => pick(group, (value, name) => textOf(value) !== textOf(first[name]))),
    }),
    ...countOf(table.tensors),
    step: table.tensors.reduce((most, _, i) => Math.max(most, stepsOf(table, i)), 0),
  };
  return [rule.name, fields, { rule: rule.name, ...fields }];
}
