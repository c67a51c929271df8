// Kinds of runs over a real server: networks with buffers and dropout, large models, permissions, how runs and workers end.
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Adam, AdamW, LBFGS, ParameterDict, Random, SGD } from "../../src/index.js";
import { MLP, Network, batchNorm, dropout, linear, relu } from "../../src/nn/index.js";
import { type CoordinateOptions, type LocalStep, coordinate, join } from "../../src/distributed/index.js";
import { Server } from "./nats.js";
import { hashOf } from "./hash.js";
import { coordinatorOptions, workerOptions } from "./training.js";

const worker = (name: string): string => `{ user: ${name}, password: x, permissions: {
  publish: ["gs.*.up.*.*.${name}", "$JS.API.DIRECT.GET.gs-closed-model", "$JS.API.CONSUMER.MSG.NEXT.gs-closed-task.workers", "$JS.ACK.gs-closed-task.>"],
  subscribe: ["_INBOX_${name}.>", "gs.closed.model.info"] } }`;

let server: Server;
let closed: Server;
const connections: NatsConnection[] = [];
const keep = async (connecting: Promise<NatsConnection>): Promise<NatsConnection> => {
  const nc = await connecting;
  connections.push(nc);
  return nc;
};
const connect = (): Promise<NatsConnection> => keep(server.connect());
beforeAll(async () => {
  server = await Server.start();
  closed = await Server.start(`accounts { A { jetstream: enabled, users: [
    { user: boss, password: x }, ${worker("w1")}, ${worker("w2")}, { user: guest, password: x, permissions: { publish: ["nothing"], subscribe: ["_INBOX.>", "gs.>"] } } ] }
    B { jetstream: { max_streams: 2 }, users: [ { user: narrow, password: x } ] } }`);
});
afterEach(async () => {
  await Promise.all(connections.splice(0).map((nc) => nc.close()));
});
afterAll(async () => {
  await server.end();
  await closed.end();
});

async function conduct(nc: NatsConnection, options: CoordinateOptions): Promise<number> {
  let rounds = 0;
  for await (const { round } of coordinate(nc, options)) rounds = round;
  return rounds;
}

describe("a network with batch normalization and dropout", () => {
  const make = (): Network =>
    new Network([6], [linear(12), batchNorm(), relu(), dropout(0.3), linear(3)], { batchSize: 8, seed: 4 });

  async function train(run: string, count: number): Promise<string> {
    const done = [];
    for (let i = 0; i < count; i++) {
      const network = make();
      const optimizer = new Adam(network.params, { lr: 0.01 });
      const step = ({ rows, seed }: LocalStep): number => {
        const random = new Random(seed);
        const x = Float32Array.from({ length: 48 }, (_, k) => Math.sin(rows[k % 8] + k) + 0.1 * random.uniform());
        const loss = network.trainBatch(
          x,
          Int32Array.from(rows, (row) => row % 3),
        );
        optimizer.step();
        return loss;
      };
      done.push(join(await connect(), { run, params: i === 0 ? network : network.params, optimizer, step }));
    }
    const network = make();
    const optimizer = new SGD(network.params, { lr: 1 });
    const settings = { replicas: 4, localSteps: 4, batchSize: 8, samples: 100, rounds: 6, seed: 2 };
    await conduct(await connect(), { run, params: network, optimizer, ...settings });
    await Promise.all(done);
    expect(network.buffers["1.running_mean"].some((x) => x !== 0)).toBe(true);
    return hashOf(network.params) + String(Array.from(network.buffers["1.running_var"]));
  }

  test("has the same bits for 1 and 3 workers, buffers included, whether it or its parameters are given", async () => {
    expect(await train("net-3", 3)).toBe(await train("net-1", 1));
  });
});

test("a model whose updates take several messages", async () => {
  const shapes = { w: [1000, 1300] };
  const hashes = [];
  for (const count of [1, 3]) {
    const run = `large-${count}`;
    const done = [];
    for (let i = 0; i < count; i++) {
      const params = new ParameterDict(shapes);
      const optimizer = new SGD(params, { lr: 0.1 });
      const step = ({ rows }: LocalStep): number => {
        params.grad.w.forEach((_, k, grad) => (grad[k] = params.data.w[k] - (rows[k % 4] % 7)));
        optimizer.step();
        return 0;
      };
      done.push(join(await connect(), { run, params, optimizer, step }));
    }
    const params = new ParameterDict(shapes);
    const optimizer = new SGD(params, { lr: 0.9 });
    const settings = { replicas: 3, localSteps: 2, batchSize: 4, samples: 50, rounds: 3 };
    await conduct(await connect(), { run, params, optimizer, ...settings });
    await Promise.all(done);
    hashes.push(hashOf(params));
  }
  expect(hashes[1]).toBe(hashes[0]);
});

describe("with narrow permissions", () => {
  const as = (user: string, inboxPrefix?: string): Promise<NatsConnection> =>
    keep(closed.connect({ user, pass: "x", ...(inboxPrefix === undefined ? {} : { inboxPrefix }) }));

  test("a worker cannot take another's name", async () => {
    const run = "closed";
    const w1 = join(await as("w1", "_INBOX_w1"), workerOptions(run, { name: "w2" }).options);
    w1.catch(() => undefined);
    const running = conduct(await as("boss"), coordinatorOptions(run, { seed: 9 }));
    running.catch(() => undefined);
    await expect(w1).rejects.toThrow(/join: no permission to publish to "gs\.closed\.up\.1\.\d\.w2"/);
    await connections.at(-1)?.close();
    await expect(running).rejects.toThrow("closed");
  });

  test("workers take part; whoever may not gets an error", async () => {
    const run = "closed";
    const done = [];
    for (const name of ["w1", "w2"])
      done.push(join(await as(name, `_INBOX_${name}`), workerOptions(run, { name }).options));
    expect(await conduct(await as("boss"), coordinatorOptions(run))).toBe(8);
    expect(await Promise.all(done)).toHaveLength(2);

    await expect(conduct(await as("guest"), coordinatorOptions(run))).rejects.toThrow(
      /coordinate: no permission to publish to "\$JS\.API\.STREAM\.CREATE/,
    );
    await expect(join(await as("guest"), workerOptions(run).options)).rejects.toThrow(
      'join: no permission to publish to "$JS.API.DIRECT.GET.gs-closed-model"',
    );
    await expect(join(await as("w1", "_INBOX_w1"), workerOptions("other").options)).rejects.toThrow(
      'join: no permission to subscribe to "gs.other.model.info"',
    );
  });

  test("a server that goes on refusing ends the run with its reason", { timeout: 30_000 }, async () => {
    await expect(conduct(await as("narrow"), coordinatorOptions("narrow"))).rejects.toThrow(
      /^coordinate: JetStream: maximum number of streams reached \(\d+\), for 10 seconds$/,
    );
  });
});

describe("how it ends", () => {
  test("aborted: the reason; the run's state is saved by then, and workers go on waiting", async () => {
    const run = "aborted";
    const abort = new AbortController();
    const reason = new Error("enough");
    const waiting = join(await connect(), workerOptions(run, { signal: abort.signal }).options);
    waiting.catch(() => undefined);
    const end = new AbortController();
    let rounds = 0;
    await expect(
      (async () => {
        for await (const { round } of coordinate(await connect(), coordinatorOptions(run, { signal: end.signal }))) {
          rounds = round;
          if (round === 2) end.abort(reason);
        }
      })(),
    ).rejects.toBe(reason);
    expect(rounds).toBe(2);
    expect(await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 200, "waiting"))])).toBe(
      "waiting",
    );
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(() => coordinate(connections[0], coordinatorOptions(run, { signal: end.signal }))).toThrow(reason);
  });

  test("close() ends the iteration", async () => {
    const done = join(await connect(), workerOptions("closing").options);
    done.catch(() => undefined);
    const run = coordinate(await connect(), coordinatorOptions("closing"));
    const seen = [];
    for await (const { round } of run) {
      seen.push(round);
      if (round === 3) run.close();
    }
    expect(seen).toEqual([1, 2, 3]);
  });

  test("what step throws, and the optimizer is as before", async () => {
    const run = "throwing";
    const { options, mlp } = workerOptions(run, {}, 0);
    const fault = new RangeError("no such row");
    const { step } = options;
    const throwing = join(await connect(), {
      ...options,
      step: (given) => {
        if (given.step === 2) throw fault;
        return step(given);
      },
    });
    throwing.catch(() => undefined);
    const running = conduct(await connect(), coordinatorOptions(run));
    await expect(throwing).rejects.toBe(fault);
    const again = join(await connect(), { ...options, params: mlp.params });
    expect(await running).toBe(8);
    expect(await again).toBe(24);
  });

  test("a closed connection", async () => {
    const nc = await connect();
    const waiting = join(nc, workerOptions("nowhere").options);
    waiting.catch(() => undefined);
    await nc.close();
    await expect(waiting).rejects.toThrow("join: the connection to NATS is closed");
    await expect(join(nc, workerOptions("nowhere").options)).rejects.toThrow("join: the connection to NATS is closed");
    await expect(conduct(nc, coordinatorOptions("nowhere"))).rejects.toThrow(
      "coordinate: the connection to NATS is closed",
    );
  });
});

test("wrong arguments", async () => {
  const nc = await connect();
  const options = coordinatorOptions("wrong");
  const wrong = (change: object, message: string | RegExp): void =>
    expect(() => coordinate(nc, { ...options, ...change })).toThrow(message);
  wrong({ run: "a.b" }, 'coordinate: "run" expected 1 to 64 letters, digits, _ and -, got "a.b"');
  wrong({ params: {} }, 'coordinate: "params" expected a ParameterDict, a Network or an MLP, got an object');
  wrong({ optimizer: 1 }, 'coordinate: "optimizer" expected an optimizer of "params"');
  wrong(
    { optimizer: new AdamW(new MLP([2, 2]).params, {}) },
    'coordinate: "optimizer" expected an optimizer of "params"',
  );
  wrong({ replicas: 0 }, 'coordinate: "replicas" expected a whole number >= 1, got 0');
  wrong({ samples: 2 ** 32 + 1 }, 'coordinate: "samples" expected at most 4294967296');
  wrong({ rounds: 1.5 }, 'coordinate: "rounds" expected a whole number >= 1, got 1.5');
  wrong({ verify: 2 }, 'coordinate: "verify" expected a number in [0, 1], got 2');
  wrong({ checkpoint: 1 }, `coordinate: "checkpoint" expected a file's path, got 1`);
  wrong({ inner: { lr: 1 } }, 'coordinate: unknown option "inner.lr"');
  wrong({ signal: 1 }, 'coordinate: "signal" expected an AbortSignal, got 1');
  wrong({ workers: 3 }, /unknown option "workers"; did you mean "replicas"/);
  expect(() => coordinate(connect() as never, options)).toThrow(
    "expected a connection to NATS, got a Promise: await it",
  );
  const params = new ParameterDict({ w: [2] });
  wrong({ params, optimizer: new LBFGS(params) }, "a rule whose step() takes no closure");

  const given = workerOptions("wrong");
  const refuse = (change: object, message: string): Promise<void> =>
    expect(join(nc, { ...given.options, ...change })).rejects.toThrow(message);
  await refuse({ step: 1 }, 'join: "step" expected a function, got 1');
  await refuse({ name: "a b" }, 'join: "name" expected 1 to 64 letters');
  await refuse({ buffers: [] }, 'join: "buffers" expected an object');
  (given.options.optimizer as SGD).step();
  await refuse({}, 'join: "optimizer" expected an optimizer that has not stepped');
});

test("the coordinator may demand an inner optimizer", async () => {
  const run = "demanded";
  const end = new AbortController();
  const running = conduct(
    await connect(),
    coordinatorOptions(run, { inner: { rule: "SGD", options: { lr: 0.2 } }, signal: end.signal }),
  );
  running.catch(() => undefined);
  await expect(join(await connect(), workerOptions(run).options)).rejects.toThrow(
    `join: run "${run}" trains with "momentum" 0, your SGD has 0.5`,
  );
  end.abort();
  await expect(running).rejects.toThrow();
});
