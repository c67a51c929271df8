import { checkPlace } from "../command/checkpoint.ts";
import { checkEpochs, open } from "./checkpoint.ts";
import type { Dataset } from "./idx.ts";
import type { CommandLine } from "./options.ts";
import { type Report, accuracyText, grouped } from "./report.ts";
import { type SettledRule, settleRules } from "./all-rules.ts";
import { models } from "./models.ts";
import { type Epoch, type Settings, train } from "./train.ts";

/** The settings of a run but for its rule: what `--compare` shares. */
export function settingsOf(given: CommandLine): Omit<Settings, "rule"> {
  const { lr, betas, dialect, model, hidden, batch, epochs = models[model].epochs, seed, ema } = given;
  const { schedule = models[model].schedule } = given;
  return {
    options: { lr, betas, dialect },
    model,
    hidden,
    init: "torch",
    batch,
    epochs,
    seed,
    ema,
    schedule: schedule === "constant" ? undefined : schedule,
  };
}

/** What `--json` says about a run's settings. */
export function optionsInJson(settings: Omit<Settings, "rule" | "options">, given: CommandLine): object {
  const { model, hidden, init, batch, epochs, seed, ema, schedule } = settings;
  const network = model === "mlp" ? { hidden } : { model };
  return { ...network, init, batch, epochs, seed, ema, schedule, data: given.data ?? "mnist" };
}

export function describeNetwork(data: Dataset, { model, hidden, batch, seed }: Settings): string {
  const images = `${grouped(data.train.count)} + ${grouped(data.test.count)} images`;
  return `${models[model].describe(data, hidden)}, ${images}, batch ${batch}, seed ${seed}`;
}

export const describeRule = ({ rule, lr, betas, dialect }: SettledRule): string =>
  `${rule}, lr ${lr}${betas ? `, betas ${betas.join(", ")}` : ""}, dialect ${dialect}`;

/** The main command: one run. */
export async function trainOnce(
  given: CommandLine,
  load: () => Dataset,
  report: Report,
): Promise<{ options: object; epochs: readonly Epoch[]; testAccuracy: number }> {
  const { checkpoint, every } = given;
  const resume = given.resume === undefined ? undefined : open(given.resume);
  if (resume !== undefined) checkEpochs(resume.path, resume.epochs, given.epochs ?? models[given.model].epochs);
  checkPlace(checkpoint);
  const settings: Settings = { rule: given.rule, ...settingsOf(given) };
  const [settled] = settleRules([settings.rule], settings.options);
  const data = load();
  report.line(describeNetwork(data, settings));
  report.line(`${describeRule(settled)}${settings.schedule ? `, ${settings.schedule} schedule to 0` : ""}`);
  if (settings.ema !== undefined) report.line(`accuracy: of the weights' moving average, decay ${settings.ema}`);
  report.line("samples/s: trainBatch and step alone");
  const watcher = report.watch("", settings.epochs, false);
  const run = await train(data, settings, watcher, { checkpoint, every, resume });
  report.line(`test accuracy ${accuracyText(run.testAccuracy)}`);
  return {
    options: { ...settled, ...optionsInJson(settings, given) },
    epochs: run.epochs,
    testAccuracy: run.testAccuracy,
  };
}
