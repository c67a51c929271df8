// Converts n bytes to float32, f32(f32(byte)·scale). n is rounded up to 16; the padding is read and written like the rest.
// The bytes may lie in the last quarter of the result's buffer of 16·⌈n/16⌉ floats: each is read before it is overwritten.
export function convertBytes(n: i32, from: usize, scale: f32, to: usize): void {
  const factor = f32x4.splat(scale);
  for (const end = from + <usize>n; from < end; from += 16, to += 64) {
    const bytes = v128.load(from);
    const low = i16x8.extend_low_i8x16_u(bytes), high = i16x8.extend_high_i8x16_u(bytes);
    v128.store(to, times(i32x4.extend_low_i16x8_s(low), factor));
    v128.store(to, times(i32x4.extend_high_i16x8_s(low), factor), 16);
    v128.store(to, times(i32x4.extend_low_i16x8_s(high), factor), 32);
    v128.store(to, times(i32x4.extend_high_i16x8_s(high), factor), 48);
  }
}

// @ts-ignore: decorator
@inline
function times(whole: v128, factor: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(whole), factor);
}
