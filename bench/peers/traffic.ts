// The memory's own speed: AssemblyScript that reads and writes what an update does, with one addition a vector.

/** One parameter, one gradient, and `slots` state buffers, of `n` elements each, 64-byte aligned, one after the other. */
export const source = `
${[0, 1, 2].map(pass).join("\n")}
`;

function pass(slots: number): string {
  const written = ["p", ...["m", "v"].slice(0, slots)];
  const vector = (offset: number): string =>
    [
      `      const g${offset} = v128.load(g, ${offset});`,
      ...written.map(
        (name) => `      v128.store(${name}, f32x4.add(v128.load(${name}, ${offset}), g${offset}), ${offset});`,
      ),
    ].join("\n");
  return `
export function pass${slots}(n: usize, p: usize, g: usize, m: usize, v: usize): void {
  for (const end = p + n * 4; p < end; ) {
${[0, 16, 32, 48].map(vector).join("\n")}
${["p", "g", ...written.slice(1)].map((name) => `      ${name} += 64;`).join("\n")}
  }
}`;
}
