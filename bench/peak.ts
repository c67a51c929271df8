// What the processor does in multiplications and additions of float32 vectors, each by itself: a loop in registers,
// compiled here. Eleven sums are what fits the registers and nearly hides the latency of both. (In assembly, where a sum
// need not wait for its product, a Zen 4 does 1.18 times as much.)

/** The compiler, imported without its types: they declare their own arrays for every file of the project. */
const compiler = ["assemblyscript", "asc"].join("/");
const asc = (await import(compiler)) as {
  compileString(source: string, options: object): Promise<{ error: Error | null; binary: Uint8Array | null }>;
};

const SUMS = 11;
const STEPS = 10_000;
const names = Array.from({ length: SUMS }, (_, i) => `c${i}`);
const source = `
  export function loop(n: i32, x: f32, y: f32): f32 {
    const a = f32x4.splat(x), b = f32x4.splat(y);
    let ${names.map((c) => `${c} = b`).join(", ")};
    for (; n; n--) {
      ${names.map((c) => `${c} = f32x4.add(f32x4.mul(${c}, a), b);`).join("\n      ")}
    }
    return f32x4.extract_lane(${names.slice(1).reduce((sum, c) => `f32x4.add(${sum}, ${c})`, names[0])}, 0);
  }`;

/** Returns a function that runs the loop for some 20 µs and gives its GFLOPS. */
export async function makePeak(): Promise<() => number> {
  const { error, binary } = await asc.compileString(source, {
    optimizeLevel: 3,
    runtime: "stub",
    enable: ["simd"],
  });
  if (error !== null || binary === null) throw error ?? new Error("nothing was compiled");
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>));
  const loop = exports.loop as (n: number, x: number, y: number) => number;
  return () => {
    const start = performance.now();
    loop(STEPS, 0.5, 1);
    return (STEPS * SUMS * 8) / (performance.now() - start) / 1e6;
  };
}
