import { fileGiven } from "./arguments.js";
import { readOwn } from "./gradstep-metadata.js";
import { type Entry, unpack } from "./safetensors.js";

/** What {@link read} returns: views of the file's bytes. */
export interface FileContents {
  /** All of the file's texts by name, those of other programs too, such as PyTorch's `param_groups`. */
  readonly metadata: Record<string, string>;
  /** The tensors by name, in the order of the header. */
  readonly tensors: Record<string, Entry>;
}

/**
 * Reads any safetensors file, without knowing what is in it. All of it is checked, of a file of ours the checksum too, and
 * no tensor is copied: `bytes` of a tensor is a view of the file's.
 *
 * @param bytes The whole file.
 * @returns The metadata, and each tensor's dtype, shape and bytes.
 * @throws RangeError with what is wrong with the file, TypeError for what is no Uint8Array.
 * @example
 * const { tensors } = read(bytes);
 * for (const [name, { dtype, shape }] of Object.entries(tensors)) console.log(name, dtype, shape);
 */
export function read(bytes: Uint8Array): FileContents {
  const file = fileGiven("read", bytes);
  const contents = unpack(file, "read");
  readOwn(file, contents, "read");
  const tensors = [...contents.tensors].map(([name, { dtype, shape, bytes }]): [string, Entry] => [
    name,
    { dtype, shape, bytes },
  ]);
  return { metadata: Object.fromEntries(contents.metadata), tensors: Object.fromEntries(tensors) };
}
