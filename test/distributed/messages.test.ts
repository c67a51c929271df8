// Models and updates as messages: what goes in comes out, also in several messages, and nothing damaged is read.
import { describe, expect, test } from "vitest";
import { ParameterDict, Random } from "../../src/index.js";
import { CHUNK, MODEL, fingerprint, readHeader, writeHeader } from "../../src/distributed/message.js";
import { Workspace } from "../../src/distributed/workspace.js";
import { Network, batchNorm, linear, relu } from "../../src/nn/index.js";
import { Model, checkForm } from "../../src/distributed/model.js";
import { fromHalves, quantize, toHalves } from "../support/reference/delta.js";

const header = {
  kind: MODEL,
  run: [1, 2 ** 32 - 1],
  inner: [3, 4],
  round: 5,
  replica: 6,
  model: 7,
  text: 8,
  value: -0.1,
} as const;

/** Much faster than toEqual. */
const bytesOf = (list: Float32Array): Buffer => Buffer.from(list.buffer, list.byteOffset, list.byteLength);

test("a header comes back as it was", () => {
  const view = new DataView(new ArrayBuffer(64));
  const whole = { ...header, chunk: 9, chunks: 10, bytes: 11 };
  writeHeader(view, whole);
  expect(readHeader(view)).toEqual(whole);
});

test("fingerprints of texts differ, and stay what they are", () => {
  const texts = Array.from({ length: 20_000 }, (_, i) => `text ${i}`);
  const [low, high] = [0, 1].map((k) => new Set(texts.map((text) => fingerprint(text)[k])).size);
  expect(Math.min(low, high)).toBeGreaterThan(19_990);
  expect(fingerprint("gradstep")).toMatchInlineSnapshot(`
    [
      2539032195,
      2774125457,
    ]
  `);
});

describe.each([1, 255, 256, 257, 5000, 700_001])("%i parameters", (numel) => {
  const random = new Random(numel);
  const workspace = new Workspace(numel, 3);
  const numbers = (size: number): Float32Array =>
    Float32Array.from({ length: numel }, () => size * (random.uniform() - 0.5));
  const buffers = Float32Array.of(1, -2, 3.5);
  /** All bodies of the messages, put together. */
  const sent = (body: Uint8Array): Uint8Array => {
    const whole = new Uint8Array(body.length);
    const messages = workspace.pack(body.slice(), header);
    expect(messages).toHaveLength(Math.ceil(body.length / CHUNK));
    for (const message of messages) {
      const received = workspace.unpack(Buffer.from(message))!;
      expect(received.header).toMatchObject({ ...header, bytes: body.length });
      whole.set(received.body, received.header.chunk * CHUNK);
    }
    return whole;
  };

  test("a model", () => {
    const x = numbers(2);
    workspace.before.set(x);
    const body = workspace.encodeModel(buffers);
    const sum = workspace.checksum(body);
    const received = sent(body);
    expect(workspace.decodeModel(received, sum + 1)).toBeUndefined();
    expect(workspace.decodeModel(received, sum)).toEqual(buffers);
    expect(bytesOf(workspace.before).equals(bytesOf(fromHalves(toHalves(x))))).toBe(true);
  });

  test("an update", () => {
    const [x, y] = [numbers(1), numbers(1)];
    workspace.before.set(x);
    workspace.after.set(y);
    const received = sent(workspace.encodeUpdate(buffers)!);
    expect(workspace.isFinite(received, 1000)).toBe(true);
    workspace.after.fill(0);
    expect(workspace.subtractUpdate(received)).toEqual(buffers);
    const { scales, codes } = quantize(x, y);
    const steps = new Float32Array(scales.buffer);
    const moved = Float32Array.from(codes, (code, i) => 0 - Math.fround(steps[Math.floor(i / 256)] * code));
    expect(bytesOf(workspace.after).equals(bytesOf(moved))).toBe(true);
    workspace.after[numel - 1] = Infinity;
    expect(workspace.encodeUpdate(buffers)).toBeUndefined();
    new DataView(received.buffer).setFloat32(0, 1e38, true);
    expect(workspace.isFinite(received, 1000)).toBe(false);
  });
});

test("a message with any flipped bit, or of another length, is not read", () => {
  const workspace = new Workspace(100, 0);
  const [message] = workspace.pack(workspace.encodeModel(new Float32Array(0)), header);
  expect(workspace.unpack(message)).toBeDefined();
  for (let bit = 0; bit < 8 * message.length; bit++) {
    message[bit >> 3] ^= 1 << (bit & 7);
    expect(workspace.unpack(message)).toBeUndefined();
    message[bit >> 3] ^= 1 << (bit & 7);
  }
  for (let length = 0; length < message.length; length++)
    expect(workspace.unpack(message.subarray(0, length))).toBeUndefined();
  expect(workspace.unpack(new Uint8Array(64 + CHUNK + 1))).toBeUndefined();
});

describe("the model of a worker", () => {
  const network = new Network([4], [linear(3), batchNorm(), relu(), linear(2)], { batchSize: 8 });

  test("has a network's buffers and randomness, though only its parameters are given", () => {
    const model = Model.read("join", network.params, undefined);
    expect(Object.keys(model.form.buffers)).toEqual(["1.running_mean", "1.running_var"]);
    expect(model.network).toBeDefined();
    expect(model.saveable).toBe(network);
    const numbers = Float32Array.from({ length: 6 }, (_, i) => i);
    model.scatterBuffers(model.form, numbers);
    expect(network.buffers["1.running_var"]).toEqual(Float32Array.of(3, 4, 5));
    expect(model.gatherBuffers(model.form)).toEqual(numbers);
  });

  test("must have the run's parameters and buffers", () => {
    const model = Model.read("join", network, undefined);
    const check = (form: object) => () => checkForm("join", "mnist", { ...model.form, ...form }, model);
    check({})();
    check({ buffers: {} })(); // the network's, which the run has not, are left alone
    expect(check({ shapes: { ...model.form.shapes, "0.weight": [5, 4] } })).toThrow(
      'join: run "mnist" has 0.weight of shape [5, 4], yours is [3, 4]',
    );
    expect(check({ shapes: { "0.weight": [3, 4] } })).toThrow("has no parameter 0.bias, yours is of shape [3]");
    expect(check({ shapes: { ...model.form.shapes, more: [1] } })).toThrow("has more of shape [1], yours has no such");
    expect(check({ buffers: { "1.running_mean": 4 } })).toThrow("has buffer 1.running_mean of 4, yours is of 3");
    expect(() => Model.read("join", { w: [1] }, undefined)).toThrow(
      'join: "params" expected a ParameterDict, a Network',
    );
    expect(() => Model.read("join", network, { a: [1] })).toThrow('join: "buffers.a" expected a Float32Array');
    expect(() => Model.read("join", new ParameterDict({ w: [0] }), undefined)).toThrow("at least one parameter");
  });
});
