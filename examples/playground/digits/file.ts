// What a safetensors file says of its network before it is loaded: the shapes of its layers, and the page's own entry.
import { type RuleName, ruleNames } from "../../mnist/rules.ts";
import { CONVOLUTIONS, type Setup } from "./messages.ts";

/** The page's entry in the metadata. */
export const setupText = (setup: Setup): string => JSON.stringify(setup);

/**
 * The setup for a file, and whether it is a whole run of the page; `otherwise` has the rule for one of weights alone.
 * @throws RangeError when it is no safetensors file, or not of a network of `inputs` pixels and `outputs` classes.
 */
export function readSetup(
  file: Uint8Array,
  otherwise: Setup,
  inputs: number,
  outputs: number,
): { setup: Setup; whole: boolean } {
  const header = readHeader(file);
  const hidden = isConvolutional(header) ? CONVOLUTIONS : hiddenWidths(header, inputs, outputs);
  if (hidden === undefined)
    throw new RangeError(`load: "file" expected a network from ${inputs} pixels to ${outputs} classes, got another`);
  const { playground } = (header.__metadata__ ?? {}) as Record<string, string | undefined>;
  if (playground === undefined) return { setup: { ...otherwise, hidden }, whole: false };
  const { rule, lr } = JSON.parse(playground) as Record<string, unknown>;
  if (!ruleNames.includes(rule as RuleName) || typeof lr !== "number")
    throw new RangeError(`load: "file" expected a rule of this page, got ${String(rule)}`);
  return { setup: { rule: rule as RuleName, lr, hidden }, whole: true };
}

/** Shapes of the convolutional net of the MNIST command. */
const convolutional = { "0.weight": [16, 1, 3, 3], "3.weight": [32, 16, 3, 3], "7.weight": [10, 1568] };

const isConvolutional = (header: Record<string, unknown>): boolean =>
  Object.entries(convolutional).every(([name, shape]) => shapeIn(header, name).join() === shape.join());

/** Widths of the layers between, or undefined if the layers do not go from `inputs` to `outputs`. */
function hiddenWidths(header: Record<string, unknown>, inputs: number, outputs: number): number[] | undefined {
  const widths: number[] = [];
  for (let layer = 0; header[`${layer}.weight`] !== undefined; layer += 2) {
    const [out, into] = shapeIn(header, `${layer}.weight`);
    if (into !== (widths.at(-1) ?? inputs) || typeof out !== "number") break;
    widths.push(out);
  }
  return widths.at(-1) === outputs ? widths.slice(0, -1) : undefined;
}

function shapeIn(header: Record<string, unknown>, name: string): readonly unknown[] {
  const { shape } = (header[name] ?? {}) as { shape?: unknown };
  return Array.isArray(shape) ? (shape as unknown[]) : [];
}

function readHeader(file: Uint8Array): Record<string, unknown> {
  try {
    const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
    const header: unknown = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    if (typeof header === "object" && header !== null) return header as Record<string, unknown>;
  } catch {
    // the one error below is for all of them
  }
  throw new RangeError('load: "file" expected a safetensors file, got something else');
}
