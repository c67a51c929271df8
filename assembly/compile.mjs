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
