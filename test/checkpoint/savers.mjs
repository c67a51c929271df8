// Threads of one process that save to one path at once, the tensor filled with the thread's number. Run by file.slow.test.ts.
import { ParameterDict } from "gradstep";
import { saveFile } from "gradstep/checkpoint";
import { Worker, isMainThread, workerData } from "node:worker_threads";

if (isMainThread) {
  const [path, threads, saves, first] = [process.argv[2], ...process.argv.slice(3).map(Number)];
  let saved = 0;
  for (let id = first + 1; id <= first + threads; id++)
    new Worker(new URL(import.meta.url), { workerData: { path, saves, id } })
      .on("exit", (code) => (saved += code === 0 ? saves : 0))
      .on("error", (error) => console.log(String(error)));
  process.on("exit", () => console.log(`${saved} saved`));
} else {
  const { path, saves, id } = workerData;
  const params = new ParameterDict({ a: [1000] });
  params.data.a.fill(id);
  for (let i = 0; i < saves; i++) await saveFile(path, params, { extra: { id } });
}
