/** FNV-1a of 64 bits over the bytes of what it is given. */
export class Hash {
  #high = 0xcbf29ce4;
  #low = 0x84222325;

  bytes(bytes: Uint8Array): this {
    let [high, low] = [this.#high, this.#low];
    for (let i = 0; i < bytes.length; i++) {
      low = (low ^ bytes[i]) >>> 0;
      // × 2⁴⁰ + 0x1b3, modulo 2⁶⁴
      const product = low * 0x1b3;
      high = (Math.imul(high, 0x1b3) + (low << 8) + Math.floor(product / 2 ** 32)) >>> 0;
      low = product >>> 0;
    }
    this.#high = high;
    this.#low = low;
    return this;
  }

  /** Which NaN it is is not promised: there must be none. */
  numbers(numbers: Float32Array | Float64Array): this {
    for (let i = 0; i < numbers.length; i++) if (Number.isNaN(numbers[i])) throw new Error(`NaN at [${i}]`);
    return this.bytes(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  }

  number(x: number): this {
    return this.numbers(Float64Array.of(x));
  }

  text(text: string): this {
    return this.bytes(Uint8Array.from(text, (c) => c.charCodeAt(0)));
  }

  hex(): string {
    return [this.#high, this.#low].map((half) => half.toString(16).padStart(8, "0")).join("");
  }
}
