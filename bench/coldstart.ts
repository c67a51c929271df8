// npm run bench:coldstart: what import, compilation and a first step add to an empty Node script, in turns.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "./turns.js";

const ROUNDS = 20;
const root = fileURLToPath(new URL("..", import.meta.url));
const firstStep = (shape: string): string => `
    import { AdamW, ParameterDict } from "gradstep";
    const params = new ParameterDict({ w: ${shape} });
    new AdamW(params).step();`;
/** By name; the larger tensor adds the time in which the system finds 1.6 MB for it. */
const scripts = {
  "an empty script": "",
  "the import alone": 'import "gradstep";',
  "a first step on 16 parameters": firstStep("[16]"),
  "a first step on 128 × 784": firstStep("[128, 784]"),
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
const [empty] = times;
Object.keys(scripts).forEach((name, k) => {
  const added = times[k].map((time, i) => time - empty[i]);
  console.log(`${name}: ${median(times[k]).toFixed(1)} ms, ${median(added).toFixed(1)} more than an empty one`);
});
console.log(`medians of ${ROUNDS}, differences by pairs`);
