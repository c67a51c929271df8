import { describe, expect, test } from "vitest";
import { ParameterDict } from "../../src/index.js";
import { type Bad, checkRefused, common } from "../support/bad.js";
import { shapesOf } from "../support/harness.js";
import { type Options, make, rows } from "../rules/table.js";

describe.each(rows)("$rule", (row) => {
  const bad: Bad[] = [...common, ...row.bad];

  test.each(bad.map((b) => [JSON.stringify(b[0]), b] as const))("refuses %s", (_, b) => checkRefused(row, b));

  test("refuses the same in a group and when set, names the option and changes nothing", () => {
    const shapes = shapesOf(row, { a: 3, b: 2 });
    const params = new ParameterDict(shapes);
    const first = make(row.rule, params, { ...row.required, groups: [{ params: ["b"] }] });
    for (const [options, error] of row.bad.filter(([o]) => Object.keys(o).length === 1)) {
      const [[name, value]] = Object.entries(options);
      const before = JSON.stringify(first.paramGroups);
      const set = () => ((first.paramGroups[1] as Options)[name] = value);
      if (!(name in row.fixed)) expect(set).toThrow(error);
      expect(set).toThrow(`${row.rule}: "paramGroups[1].${name}`);
      expect(JSON.stringify(first.paramGroups)).toBe(before);
      const fresh = new ParameterDict(shapes);
      const construct = () => make(row.rule, fresh, { ...row.required, groups: [{ params: ["b"], ...options }] });
      expect(construct).toThrow(error);
      expect(construct).toThrow(`${row.rule}: "groups[0].${name}`);
    }
  });

  test("some options cannot change", () => {
    const optimizer = make(row.rule, new ParameterDict(shapesOf(row, { a: 3 })), row.required);
    for (const [name, value] of Object.entries(row.fixed)) {
      const set = () => ((optimizer.paramGroups[0] as Options)[name] = value);
      expect(set).toThrow(`${row.rule}: "paramGroups[0].${name}" is settled when the optimizer is made`);
    }
    for (const name of ["params", "dialect"])
      expect(() => ((optimizer.paramGroups[0] as Options)[name] = "keras")).toThrow(
        `"paramGroups[0].${name}" cannot change`,
      );
    expect(() => ((optimizer.paramGroups[0] as Options).learningRate = 1)).toThrow(
      `${row.rule}: unknown option "paramGroups[0].learningRate"; did you mean "lr"? The options are lr,`,
    );
    expect(() => delete (optimizer.paramGroups[0] as Options).lr).toThrow(TypeError);
  });

  test("accepts only its own dialects; an lr without default must be given", () => {
    const lrMissing = ["Adagrad", "Adadelta", "RMSprop", "Lion", "ADOPT"].includes(row.rule);
    for (const dialect of ["keras", "optax"] as const) {
      const construct = (options: Options) =>
        make(row.rule, new ParameterDict(shapesOf(row, { a: 3 })), { dialect, ...options });
      if (!row.dialects.includes(dialect)) {
        expect(() => construct({ lr: 0.1 })).toThrow(`${row.rule}: "dialect" expected`);
      } else if (dialect === "optax" && lrMissing) {
        const missing = `${row.rule}: "lr" expected a finite number >= 0, got undefined`;
        expect(() => construct({})).toThrow(new TypeError(missing));
        expect(() => construct({ lr: undefined, groups: [{ params: ["a"], lr: 0.1 }] })).toThrow(missing);
      } else expect(construct({}).paramGroups[0].lr).toBeGreaterThan(0);
    }
  });

  test("undefined is an absent option", () => {
    const params = new ParameterDict(shapesOf(row, { a: 3 }));
    const optimizer = make(row.rule, params, {
      lr: undefined,
      ...row.required,
      dialect: undefined,
      groups: undefined,
    });
    const other = make(row.rule, new ParameterDict(shapesOf(row, { a: 3 })), row.required);
    expect(JSON.stringify(optimizer.paramGroups)).toBe(JSON.stringify(other.paramGroups));
  });

  test("requires a ParameterDict", () => {
    for (const params of [undefined, {}, [], new Float32Array(3)])
      expect(() => make(row.rule, params as never)).toThrow(`${row.rule}: "params" expected a ParameterDict, got`);
  });
});

test("a momentum that was 0 at the start stays 0; another one may be set to 0", () => {
  for (const rule of ["SGD", "RMSprop"]) {
    const without = make(rule, new ParameterDict({ a: [3] }));
    expect(() => (without.paramGroups[0].momentum = 0.9)).toThrow(RangeError);
    expect(() => (without.paramGroups[0].momentum = 0.9)).toThrow(
      /"paramGroups\[0\].momentum" expected 0 as at the start/,
    );
    const params = new ParameterDict({ a: [3] });
    const optimizer = make(rule, params, { lr: 0.1, momentum: 0.9 });
    params.grad.a.fill(1);
    optimizer.step();
    optimizer.paramGroups[0].momentum = 0;
    const [before, buffer] = [params.data.a[0], (optimizer.state("a").momentumBuffer as Float32Array).slice()];
    params.grad.a.fill(0);
    optimizer.step();
    expect(params.data.a[0]).toBe(before);
    expect(optimizer.state("a").momentumBuffer).toEqual(buffer);
  }
});

test("nesterov is live, and refused with dampening", () => {
  const optimizer = make("SGD", new ParameterDict({ a: [3] }), { momentum: 0.9, dampening: 0.1 });
  expect(() => (optimizer.paramGroups[0].nesterov = true)).toThrow(
    /"paramGroups\[0\].dampening" expected nothing but 0/,
  );
  expect(optimizer.paramGroups[0].nesterov).toBe(false);
  optimizer.paramGroups[0].dampening = 0;
  optimizer.paramGroups[0].nesterov = true;
  expect(optimizer.paramGroups[0].nesterov).toBe(true);
});

test("given options and defaults are copied, and arrays among them are frozen", () => {
  const betas: [number, number] = [0.5, 0.6];
  const optimizer = make("Adam", new ParameterDict({ a: [3] }), { betas });
  betas[0] = 7;
  expect(optimizer.paramGroups[0].betas).toEqual([0.5, 0.6]);
  const other = make("Adam", new ParameterDict({ a: [3] }));
  for (const { paramGroups } of [optimizer, other])
    expect(() => ((paramGroups[0].betas as number[])[0] = 7)).toThrow(TypeError);
  expect(make("Adam", new ParameterDict({ a: [3] })).paramGroups[0].betas).toEqual([0.9, 0.999]);
});
