// State dicts as JSON text.
import { expect, test } from "vitest";
import { Adam, Lookahead, ParameterDict, Prodigy, SGD, WeightEma, fromJSON, toJSON } from "../../src/index.js";
import { StepLR } from "../../src/schedule/index.js";

const trained = (options: object = {}) => {
  const params = new ParameterDict({ w: [64, 100], b: [3] });
  const optimizer = new Adam(params, options);
  params.grad.w.forEach((_, i) => (params.grad.w[i] = Math.fround(Math.sin(i))));
  params.grad.b.set([NaN, -0, 1e-40]);
  optimizer.step();
  return { params, optimizer };
};

test.each(["float32", "bfloat16", "8bit"])("an optimizer's state comes back with the same bits: %s", (stateFormat) => {
  const { optimizer } = trained({ stateFormat });
  const state = optimizer.stateDict();
  const text = toJSON(state);
  expect(fromJSON(text)).toEqual(state);
  const other = trained({ stateFormat }).optimizer;
  other.step();
  other.loadStateDict(fromJSON(text));
  expect(other.stateDict()).toEqual(state);
});

test("averages, wrappers, schedules, parameters and an object of several", () => {
  const { params, optimizer } = trained();
  const ema = new WeightEma(params);
  ema.update();
  const lookahead = new Lookahead(optimizer);
  const schedule = new StepLR(optimizer, { stepSize: 1 });
  const all = {
    ema: ema.stateDict(),
    lookahead: lookahead.stateDict(),
    schedule: schedule.stateDict(),
    params: params.copy(),
  };
  const back = fromJSON<typeof all>(toJSON(all));
  expect(back).toEqual(all);
  ema.loadStateDict(back.ema);
  lookahead.loadStateDict(back.lookahead);
  schedule.loadStateDict(back.schedule);
  params.assign(back.params);
});

test("numbers that JSON lacks", () => {
  const state = { a: [NaN, Infinity, -Infinity, -0, 0], b: null, c: { $: 1 }, d: Uint32Array.of(1) };
  expect(fromJSON(toJSON(state))).toEqual(state);
  const prodigy = new Prodigy(new ParameterDict({ w: [2] }), { d0: 1e-6 });
  expect(fromJSON(toJSON(prodigy.stateDict()))).toEqual(prodigy.stateDict());
});

test("what JSON.stringify makes of a state is refused with the way to do it", () => {
  const params = new ParameterDict({ w: [2] });
  const optimizer = new SGD(params, { momentum: 0.9 });
  optimizer.step();
  const lost = JSON.parse(JSON.stringify(optimizer.stateDict())) as never;
  expect(() => optimizer.loadStateDict(lost)).toThrow(
    'SGD: "saved.state.w.slots.momentumBuffer" expected a Float32Array of 2, which JSON.stringify does not keep (use toJSON and fromJSON), got an object',
  );
  const ema = new WeightEma(params);
  expect(() => ema.loadStateDict(JSON.parse(JSON.stringify(ema.stateDict())) as never)).toThrow(
    "use toJSON and fromJSON",
  );
  expect(() => params.assign(JSON.parse(JSON.stringify(params.copy())) as never)).toThrow(TypeError);
});

test.each<[unknown, new () => Error, string]>([
  [null, TypeError, 'fromJSON: "text" expected what toJSON returned, got null'],
  [{}, TypeError, "got an object"],
  ["{", RangeError, 'fromJSON: "text" expected what toJSON returned ('],
  ['{"$":"Float32Array","base64":"?"}', RangeError, 'fromJSON: "text" expected what toJSON returned ('],
  ['{"$":"Float32Array","base64":"AAA="}', RangeError, 'fromJSON: "text" expected what toJSON returned ('],
])("fromJSON refuses %j", (text, error, message) => {
  expect(() => fromJSON(text as string)).toThrow(error);
  expect(() => fromJSON(text as string)).toThrow(message);
});

test("toJSON refuses what is no object", () => {
  expect(() => toJSON("x" as never)).toThrow('toJSON: "state" expected an object, got "x"');
});
