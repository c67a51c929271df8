/**
 * All of `gradstep`, `gradstep/nn`, `gradstep/schedule` and `gradstep/checkpoint` in one file without imports, for pages
 * that no bundler builds: `dist/standalone/gradstep.js` of the package, to copy beside the page. Its classes are its own: do
 * not mix it with the other subpaths.
 *
 * @example
 * <script type="module">
 *   import { AdamW, ParameterDict } from "./gradstep.js";
 *   const params = new ParameterDict({ w: [3] });
 *   params.grad.w.fill(1);
 *   new AdamW(params, { lr: 0.1 }).step();
 *   document.body.append(String(params.data.w));
 * </script>
 *
 * @module gradstep/standalone
 */

export * from "../index.js";
export * from "../nn/index.js";
export * from "../schedule/index.js";
export * from "../checkpoint/index.js";
