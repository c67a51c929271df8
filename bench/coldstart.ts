// npm run bench:coldstart: what import, compilation and a first step add to an empty Node script, in turns.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "./turns.js";

const ROUNDS = 20;
const root = fileURLToPath(new URL("..", import.meta.url));
const scripts = {
  empty: "",
  "first step": `
    import { AdamW, ParameterDict } from "gradstep";
    const params = new ParameterDict({ w: [128, 784] });
    new AdamW(params).step();`,
};

/** Milliseconds of a fresh process. */
function run(code: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { cwd: root });
  if (status !== 0) throw new Error(stderr.toString());
  return performance.now() - start;
}

const times = Object.values(scripts).map((): number[] => []);
for (let round = 0; round <= ROUNDS; round++)
  Object.values(scripts).forEach((code, k) => {
    const time = run(code);
    if (round > 0) times[k].push(time); // the first fills the disk's cache
  });
const [empty, step] = times;
console.log(`an empty script ${median(empty).toFixed(1)} ms, with a first step ${median(step).toFixed(1)} ms`);
console.log(`difference by pairs: median ${median(step.map((t, i) => t - empty[i])).toFixed(1)} ms of ${ROUNDS}`);
