// read(): the contents of any safetensors file.
import { checkBytes } from "./arguments.js";
import { readOwn } from "./gradstep-metadata.js";
import { type Entry, unpack } from "./safetensors.js";

/** What {@link read} returns. */
export interface FileContents {
  /** All metadata strings of the file by name, such as PyTorch's `param_groups`. */
  readonly metadata: Record<string, string>;
  /** The tensors by name, in the order of the header. */
  readonly tensors: Record<string, Entry>;
}

/**
 * Reads any safetensors file. Checks all of it, and the checksum of a file that gradstep wrote. Copies no tensor: a tensor's
 * `bytes` is a view of the file.
 *
 * @param bytes The whole file.
 * @returns The metadata, and each tensor's dtype, shape and bytes.
 * @throws RangeError with what is wrong with the file, TypeError unless `bytes` is a Uint8Array.
 * @example
 * const { tensors } = read(bytes);
 * for (const [name, { dtype, shape }] of Object.entries(tensors)) console.log(name, dtype, shape);
 */
export function read(bytes: Uint8Array): FileContents {
  const file = checkBytes("read", bytes);
  const contents = unpack(file, "read");
  readOwn(file, contents, "read");
  const tensors = [...contents.tensors].map(([name, { dtype, shape, bytes }]): [string, Entry] => [
    name,
    { dtype, shape, bytes },
  ]);
  return { metadata: Object.fromEntries(contents.metadata), tensors: Object.fromEntries(tensors) };
}
