// Saves in a loop until it is killed: each file has one number in all of its tensors. Run by file.slow.test.ts.
import { AdamW, ParameterDict } from "gradstep";
import { loadFile, saveFile } from "gradstep/checkpoint";
import { existsSync } from "node:fs";

const [, , path] = process.argv;
const params = new ParameterDict({ first: [50_000], last: [50_000] });
const optimizers = [new AdamW(params)];
let n = existsSync(path) ? (await loadFile(path, params, { optimizers })).extra.n : 0;
for (;;) {
  n++;
  params.data.first.fill(n);
  params.data.last.fill(n);
  await saveFile(path, params, { optimizers, extra: { n } });
  process.stdout.write(".");
}
