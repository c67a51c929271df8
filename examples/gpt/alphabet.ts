import { UserError } from "../command/errors.ts";

/** The characters of a text, in order of their code points. A character's number is its place among them. */
export class Alphabet {
  readonly characters: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(text: string) {
    this.characters = [...new Set(text)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
    this.#numbers = new Map(this.characters.map((character, i) => [character, i]));
  }

  has(text: string): boolean {
    return Array.from(text).every((character) => this.#numbers.has(character));
  }

  /** @throws UserError for a character that is not in the alphabet. */
  encode(text: string): Int32Array {
    return Int32Array.from(text, (character) => {
      const number = this.#numbers.get(character);
      if (number !== undefined) return number;
      const count = this.characters.length;
      throw new UserError(`${JSON.stringify(character)} is not among the ${count} characters of the learned text`, 2);
    });
  }

  character(number: number): string {
    return this.characters[number];
  }
}
