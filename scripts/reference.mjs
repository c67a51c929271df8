// A plugin of TypeDoc: groups the exports of `gradstep` by task instead of kind, and links the reference to the guide.
import { Application, Comment, CommentTag, Converter, JSX, ReflectionKind } from "typedoc";

/** What a reader wants to do, and the exports for it. `AdamOptions` and `AdamState` go with `Adam`, and so on. */
const tasks = {
  "Parameters and memory": "ParameterDict Arena Memory ThreadPool Shape Values Vector TensorName",
  "Initial values":
    "Random kaimingUniform kaimingNormal xavierUniform xavierNormal uniform normal truncNormal Kaiming Xavier calculateGain Nonlinearity",
  "Optimizers: gradient descent": "SGD SGDP ASGD Rprop Signum LBFGS",
  "Optimizers: a step size for each parameter":
    "Adagrad Adadelta RMSprop Adam AdamW Adamax NAdam RAdam AdaBelief Yogi ADOPT AdEMAMix Adan LaProp MARS AdamP StableAdamW AdaBound MADGRAD Ftrl",
  "Optimizers: norms of tensors, whole matrices": "LAMB LARS NovoGrad Muon",
  "Optimizers: little state": "Lion Adafactor",
  "Optimizers: no schedule, or no learning rate": "ScheduleFree ScheduleFreeSGD ScheduleFreeAdamW Prodigy DAdaptAdam",
  "Every optimizer: options, groups, steps":
    "Optimizer StepOptimizer Common Whole Cautious Projection Group ParamGroup GroupPredicate Step Dialect NonFinitePolicy",
  "Every optimizer: its state": "Tensor TensorStateDict SavedTensor StateFormat SmallSlot toJSON fromJSON",
  Gradients: "clipGradNorm clipGradValue clipGradAdaptive gradNorm centralizeGradients numericalGradient",
  "Averages and wrappers": "WeightEma WeightAverage Lookahead SAM SAMFirstStep Average",
};
const taskOf = new Map(
  Object.entries(tasks).flatMap(([task, names]) => names.split(" ").map((name) => [name.toLowerCase(), task])),
);
const grouped = (name) => {
  const key = name.toLowerCase();
  return taskOf.get(key) ?? taskOf.get(key.replace(/(options|state)$/, ""));
};

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.on(Application.EVENT_BOOTSTRAP_END, () => {
    app.options.setValue("categoryOrder", [...Object.keys(tasks), "*"]);
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const core = project.children?.find(({ name }) => name === "gradstep");
    for (const reflection of core?.children ?? []) {
      const task = grouped(reflection.name);
      if (task === undefined) {
        app.logger.error(`scripts/reference.mjs: the export ${reflection.name} belongs to no task`);
        continue;
      }
      const tag = () => new CommentTag("@category", [{ kind: "text", text: task }]);
      // A function's comments are those of its signatures.
      const documented = reflection.kindOf(ReflectionKind.Function) ? reflection.signatures : [reflection];
      for (const each of documented) (each.comment ??= new Comment()).blockTags.push(tag());
    }
  });
  app.renderer.hooks.on("sidebar.begin", (context) =>
    JSX.createElement("a", { href: context.relativeURL("../index.html"), class: "to-guide" }, "← Guide"),
  );
}
