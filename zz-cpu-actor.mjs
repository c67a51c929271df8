// cpu: node cpu-actor.mjs role url run
import { connect } from "@nats-io/transport-node";
import { SGD, Random } from "gradstep"; import { MLP } from "gradstep/nn"; import { coordinate, join } from "gradstep/distributed";
const [role, url, run, H, rounds] = process.argv.slice(2);
const nc = await connect({ servers: url, maxReconnectAttempts: -1 });
const mlp = new MLP([784, 128, 10], { batchSize: 64, seed: 1 });
const N = 60000;
if (role === "worker") {
  const random = new Random(3); const x = Float32Array.from({ length: 2000 * 784 }, () => random.uniform()), y = Int32Array.from({ length: 2000 }, () => random.below(10));
  const optimizer = new SGD(mlp.params, { lr: 0.1 });
  const bx = new Float32Array(64 * 784), by = new Int32Array(64);
  let train = 0, tasks = 0;
  const start = process.cpuUsage(); let startMark;
  const n = await join(nc, { run, params: mlp.params, optimizer, step({ rows, round, step }) {
    if (round === 11 && startMark === undefined) { startMark = process.cpuUsage(); train = 0; tasks = 0; }
    if (process.env.TRIVIAL) { if (step === 0) tasks++; mlp.params.data["2.bias"][0] += 1e-6; return 1; } const t = process.cpuUsage();
    for (let i = 0; i < 64; i++) { const r = rows[i] % 2000; bx.set(x.subarray(r * 784, (r + 1) * 784), i * 784); by[i] = y[r]; }
    const loss = mlp.trainBatch(bx, by); optimizer.step();
    const u = process.cpuUsage(t); train += u.user + u.system; if (step === 0) tasks++;
    return loss; } });
  const all = process.cpuUsage(startMark);
  console.log("worker", "tasks", tasks, "training ms/task", (train / 1000 / tasks).toFixed(2), "other ms/task", ((all.user + all.system - train) / 1000 / tasks).toFixed(2));
} else {
  const optimizer = new SGD(mlp.params, { lr: 0.7, momentum: 0.9, nesterov: true });
  let mark, first, t0; let bytes;
  for await (const p of coordinate(nc, { run, params: mlp.params, optimizer, replicas: 4, localSteps: Number(H), batchSize: 64, samples: N, rounds: Number(rounds), seed: 1, checkpoint: process.env.CKPT || undefined })) {
    if (p.round === 10) { mark = process.cpuUsage(); first = p.round; t0 = performance.now(); bytes = nc.stats(); process.stdout.write("MARK\n"); }
    if (p.round === Number(rounds) - 1) { const u = process.cpuUsage(mark); const n = p.round - first; const s = nc.stats(); 
      console.log("coordinator ms/round", ((u.user + u.system) / 1000 / n).toFixed(2), "wall", ((performance.now() - t0) / n).toFixed(1), "bytes up/param", ((s.inBytes - bytes.inBytes) / n / 4 / mlp.params.numel).toFixed(4), "bytes down (publish)", ((s.outBytes - bytes.outBytes) / n / mlp.params.numel).toFixed(4)); process.stdout.write("END\n"); }
  }
}
await nc.close();
