// Files that are damaged, one fault each, and the format itself.
import { describe, expect, test } from "vitest";
import { load, save } from "../../src/checkpoint/index.js";
import { crc32 } from "../../src/checkpoint/crc32.js";
import { type Entry, pack, unpack } from "../../src/checkpoint/safetensors.js";
import { Adam, ParameterDict } from "../../src/index.js";

const f32 = (...values: number[]): string => {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return String.fromCharCode(...bytes);
};

/** A file with this header, as text or as an object, and this data. */
function file(header: string | object, data: string, length?: number): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const encoded = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + encoded.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? encoded.length), true);
  bytes.set(encoded, 8);
  bytes.set(
    Array.from(data, (c) => c.charCodeAt(0)),
    8 + encoded.length,
  );
  return bytes;
}
const field = (begin: number, end: number, shape = [(end - begin) / 4], dtype = "F32"): object => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});
const [a, b] = [field(0, 8), field(8, 12)];
const data = f32(1, 2, 3);
const text = (first: string, second = `"b":${JSON.stringify(b)}`): string => `{${first},${second}}`;

const make = (): ParameterDict => new ParameterDict({ a: [2], b: [1] });

describe("load", () => {
  test("takes a plain file of another program", () => {
    const params = make();
    expect(load(file({ __metadata__: { by: "hand" }, b, a }, data), params)).toEqual({
      extra: {},
      metadata: { by: "hand" },
      missing: [],
      unexpected: [],
      unknown: [],
    });
    expect([...params.data.a, ...params.data.b]).toEqual([1, 2, 3]);
    load(file(`{"b": ${JSON.stringify(b)}, "a": ${JSON.stringify(a)}}      `, f32(4, 5, 6)), params);
    expect([...params.data.a, ...params.data.b]).toEqual([4, 5, 6]);
  });

  test("takes empty tensors anywhere, in any order of the header", () => {
    const params = new ParameterDict({ a: [2], b: [1], e: [0], f: [0] });
    load(file({ f: field(12, 12), b, e: field(8, 8), a }, data), params);
    expect([...params.data.a, ...params.data.b]).toEqual([1, 2, 3]);
  });

  const whole = file({ a, b }, data);
  const faults: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(), /the file is cut short: it has 0 bytes, and 8 say/],
    ["half a length", whole.subarray(0, 5), /cut short: it has 5 bytes/],
    ["half a header", whole.subarray(0, 30), /cut short: its header should end at byte \d+, the file has 30/],
    [
      "too little data",
      whole.subarray(0, whole.length - 1),
      /damaged at "b": it reaches to byte 12 of the data, which has 11/,
    ],
    ["trailing bytes", file({ a, b }, `${data}x`), /has 1 byte behind its last tensor/],
    [
      "a header that is too long",
      file({ a, b }, data, 1e9),
      /says its header has 1000000000 bytes, more than 100000000/,
    ],
    ["a length beyond all numbers", file({ a, b }, data, 2 ** 60), /says its header has 1152921504606847000 bytes/],
    ["a header that begins otherwise", file(" {}", ""), /does not begin with {/],
    ["a list as header", file("[]", ""), /does not begin with {/],
    ["bad JSON", file('{"a":}', ""), /has a header that is no JSON/],
    ["text behind the JSON", file("{}}", ""), /has a header that is no JSON/],
    ["bad UTF-8", file(text(`"a":${JSON.stringify(a)}`), data).map((x, i) => (i === 10 ? 0xff : x)), /no UTF-8/],
    [
      "a doubled tensor",
      file(text(`"a":${JSON.stringify(a)}`, `"b":${JSON.stringify(b)},"\\u0061":${JSON.stringify(a)}`), data),
      /has the name "a" twice/,
    ],
    [
      "a doubled offset",
      file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"data_offsets" :[0,4]}}', f32(1)),
      /has the name "data_offsets" twice/,
    ],
    [
      "doubled metadata",
      file(`{"__metadata__":{"x":"{\\"","x":""},"a":${JSON.stringify(a)}}`, data),
      /has the name "x" twice/,
    ],
    ["metadata that is no object", file({ __metadata__: "pt", a, b }, data), /"__metadata__" that is no object/],
    ["metadata that is no text", file({ __metadata__: { n: 1 }, a, b }, data), /metadata "n" that is no string/],
    ["an entry that is no object", file({ a, b: [8, 12] }, data), /at "b": its entry in the header is no object/],
    ["an unknown entry", file({ a, b: { ...b, stride: 1 } }, data), /at "b": its entry has an unknown "stride"/],
    ["an unknown dtype", file({ a, b: field(8, 12, [1], "F31") }, data), /at "b": unknown dtype "F31"/],
    ["the dtype toString", file({ a, b: field(8, 12, [1], "toString") }, data), /at "b": unknown dtype "toString"/],
    ["no shape", file({ a, b: { dtype: "F32", data_offsets: [8, 12] } }, data), /at "b": its shape is no list/],
    ["a negative size", file({ a, b: field(8, 12, [-1]) }, data), /at "b": its shape is no list of whole numbers/],
    ["half a size", file({ a, b: field(8, 12, [0.5]) }, data), /at "b": its shape is no list of whole numbers/],
    ["three offsets", file({ a, b: { ...b, data_offsets: [8, 9, 12] } }, data), /at "b": its data_offsets are no two/],
    ["offsets backwards", file({ a, b: field(12, 8, [1]) }, data), /at "b": it ends \(8\) before it begins \(12\)/],
    ["offsets out of range", file({ a, b: field(8, 2 ** 40, [1]) }, data), /at "b": it reaches to byte 1099511627776/],
    ["a shape that does not fit", file({ a, b: field(8, 12, [2]) }, data), /at "b": F32 \[2\] takes 8 bytes, it has 4/],
    [
      "a shape beyond all numbers",
      file({ a, b: field(8, 12, [2 ** 50, 2 ** 50]) }, data),
      /takes [\d.e+]+ bytes, it has 4/,
    ],
    ["tensors that overlap", file({ a, b: field(4, 12, [2]) }, data), /overlap: "b" begins at 4/],
    ["tensors in one place", file({ a, b: field(0, 12, [3]) }, data), /overlap: "b" begins at 0/],
    ["a hole", file({ a: field(0, 4, [1]), b }, data), /has a hole of 4 bytes before "b"/],
    ["a missing tensor", file({ a }, f32(1, 2)), /has no tensor "b"/],
    [
      "a tensor too many",
      file({ a, b, c: field(12, 16) }, data + f32(4)),
      /"params" expected all float tensors of the file, got no "c"; strict: false leaves them/,
    ],
    ["another shape", file({ a: field(0, 8, [1, 2]), b }, data), /"a" expected shape \[2\], got \[1, 2\]/],
    [
      "an integer that float32 has not",
      file({ a, b: field(8, 12, [1], "I32") }, `${f32(1, 2)}\u0001\u0000\u0000\u0001`),
      /"b\[0\]" expected an integer that float32 can hold, got 16777217/,
    ],
    ["another width", file({ a, b: field(8, 12, [2], "BF16") }, data), /"b" expected shape \[1\], got \[2\]/],
    [
      "a tensor of metadata's name",
      file({ __metadata__: a, b: field(8, 12) }, data),
      /metadata "shape" that is no string|metadata "data_offsets"/,
    ],
  ];
  test.each(faults)("refuses %s", (_, bytes, message) => {
    const params = make();
    params.data.a.fill(7);
    expect(() => load(bytes, params)).toThrow(message);
    expect(() => load(bytes, params)).toThrow(RangeError);
    expect([...params.data.a, ...params.data.b]).toEqual([7, 7, 0]);
  });

  test("refuses arguments of the wrong type", () => {
    const params = make();
    const bytes = save(params);
    const calls: [() => unknown, string][] = [
      [() => load("x" as never, params), 'load: "bytes" expected a Uint8Array, got "x"'],
      [() => load(bytes, {} as never), 'load: "params" expected a ParameterDict, got an object'],
      [() => load(bytes, params, { optimizers: {} as never }), 'load: "optimizers" expected an array of optimizers'],
      [() => load(bytes, params, { optimizers: [1] as never }), 'load: "optimizers[0]" expected an optimizer, got 1'],
      [() => load(bytes, params, { optimisers: [] } as never), 'load: unknown option "optimisers"'],
      [() => save(params, { extras: {} } as never), 'save: unknown option "extras"'],
      [() => save({} as never), 'save: "params" expected a ParameterDict'],
      [() => save(params, { metadata: { a: 1 } as never }), 'save: "metadata.a" expected a string, got 1'],
      [() => save(params, { metadata: { format: "tf" } }), 'save: "metadata" expected names other than'],
    ];
    for (const [call, message] of calls) expect(call).toThrow(message);
    const optimizer = new Adam(params);
    expect(() => save(params, { optimizers: [optimizer, optimizer] })).toThrow(
      '"optimizers[1]" expected each optimizer once',
    );
    const other = new Adam(make());
    expect(() => save(params, { optimizers: [other] })).toThrow(
      '"optimizers[0]" expected no tensor with the name of another',
    );
    optimizer.dispose();
    expect(() => save(params, { optimizers: [optimizer] })).toThrow("Adam: used after dispose()");
    params.dispose();
    expect(() => save(params)).toThrow("save: used after dispose()");
    expect(() => load(bytes, params)).toThrow("load: used after dispose()");
  });
});

describe("the format", () => {
  const entry = (dtype: Entry["dtype"], bytes: number): Entry => ({ dtype, shape: [], bytes: new Uint8Array(bytes) });

  test("puts wide elements first, then goes by name in the order of code points", () => {
    const names: [string, Entry][] = [
      ["\u{1f600}", entry("F32", 4)],
      ["\uff5e", entry("F32", 4)],
      ["b", entry("F32", 4)],
      ["a.b", entry("F32", 4)],
      ["a", entry("F32", 4)],
      ["z", entry("F64", 8)],
      ["A", entry("U8", 1)],
    ];
    const packed = pack(new Map(names), new Map());
    expect([...unpack(packed).tensors.keys()]).toEqual(["z", "a", "a.b", "b", "\uff5e", "\u{1f600}", "A"]);
    expect(new DataView(packed.buffer).getUint32(0, true) % 8).toBe(0);
  });

  test("has the checksum of zlib", () => {
    const bytes = new TextEncoder().encode("123456789");
    expect(crc32(bytes)).toBe(0xcbf43926);
    for (let i = 0; i <= 9; i++) expect(crc32(bytes.subarray(i), crc32(bytes.subarray(0, i)))).toBe(0xcbf43926);
  });
});
