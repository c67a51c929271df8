// Compiles an entry of assembly/ with the options of asconfig.json.
import binaryen from "binaryen";
import { main } from "assemblyscript/asc";

/** Takes the options of the command `asc`. Throws what it prints. */
export async function compile(...options) {
  // With a base of its own asc no longer tells Binaryen that nothing lies below 1024. Only then are offsets folded into loads
  // and stores, without which SGD's loop is an eighth slower.
  const transforms = [{ afterCompile: () => binaryen.setLowMemoryUnused(true) }];
  const { error, stderr } = await main(["--config", "asconfig.json", ...options], { transforms });
  if (error) throw new Error(`${stderr.toString()}${error.message}`);
}

/** @throws Error if a binary would write to the memory that it is given or enlarge it, without being asked to. */
export function checkForeign(name, bytes) {
  const module = binaryen.readBinary(bytes);
  const text = module.emitText();
  module.dispose();
  const problems = [
    text.includes("(data ") && "has a data segment, which would overwrite what lies there",
    text.includes("memory.grow") && "grows the memory",
    text.includes("(start ") && "has a start function",
  ].filter(Boolean);
  if (problems.length > 0) throw new Error(`${name}.wasm ${problems.join(", ")}`);
}
