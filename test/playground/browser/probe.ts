// Runs in the page before its own scripts, as `probe`: notes what goes wrong, and looks at what a person would see.
import type axeCore from "axe-core";

declare const axe: typeof axeCore;

const CONTROLS = 'a[href], button, select, input, [tabindex="0"]';

const faults: string[] = [];
let frames = 0;

addEventListener(
  "error",
  ({ message, target }) => faults.push(message || `could not be loaded: ${(target as Element).outerHTML}`),
  true,
);
addEventListener("unhandledrejection", ({ reason }) => faults.push(String(reason)));
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  faults.push(`content security policy: ${violatedDirective} ${blockedURI}`);
});
for (const level of ["error", "warn"] as const)
  console[level] = (...all: unknown[]): void => {
    faults.push(all.map(String).join(" "));
  };

requestAnimationFrame(function count() {
  frames++;
  requestAnimationFrame(count);
});

const reached = new Set<EventTarget | null>();
addEventListener("focusin", ({ target }) => reached.add(target));

/** Controls that a person can see and use. */
const controls = (): HTMLElement[] =>
  [...document.querySelectorAll<HTMLElement>(CONTROLS)].filter(
    (element) => element.getClientRects().length > 0 && !element.matches(":disabled"),
  );

const nameOf = (element: Element): string =>
  [element.id, element.getAttribute("aria-label"), element.textContent.trim()].find(Boolean) ?? "";

const probe = {
  faults,

  /** Now, how often the browser has drawn, and how often the page has drawn its race. */
  frames: (): [ms: number, browser: number, race: number] => [
    performance.now(),
    frames,
    Number(document.getElementById("heads")?.dataset.frames),
  ],

  /** Where an element is in the window, in whole, after scrolling to it. */
  place(id: string): DOMRect {
    const element = document.getElementById(id)!;
    element.scrollIntoView({ block: "center", behavior: "instant" });
    return element.getBoundingClientRect();
  },

  /** The 28×28 image that the network is shown, from 0 to 1. */
  seen(): number[] {
    const context = (document.getElementById("seen") as HTMLCanvasElement).getContext("2d")!;
    const { data } = context.getImageData(0, 0, 28, 28);
    return Array.from({ length: 784 }, (_, i) => data[4 * i] / 255);
  },

  controls: (): number => controls().length,

  /** From here Tab is to reach all others. */
  focusFirst(): void {
    reached.clear();
    const [first] = controls();
    first.focus();
  },
  unreached: (): string[] =>
    controls()
      .filter((element) => !reached.has(element))
      .map(nameOf),

  /** How wide the page is, and who sticks out. */
  width(): { width: number; scroll: number; wide: string[] } {
    const { clientWidth: width, scrollWidth: scroll } = document.documentElement;
    const wide = [...document.querySelectorAll("body *")].filter(
      (element) => element.getBoundingClientRect().right > width + 0.5,
    );
    return { width, scroll, wide: wide.map((element) => `${element.tagName.toLowerCase()} ${nameOf(element)}`) };
  },

  /** What axe-core finds fault with. */
  async inspect(): Promise<string[]> {
    if (!("axe" in globalThis)) await loadScript("./axe.js");
    const { violations } = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
  },

  /** Tries what the content security policy forbids; tells which of it worked. */
  async misbehave(otherHost: string): Promise<string[]> {
    // what a debugger evaluates may be exempt from the policy; a task of its own is not
    await new Promise((resolve) => setTimeout(resolve));
    const done: string[] = [];
    try {
      (0, eval)("1");
      done.push("eval");
    } catch {
      // as it should be
    }
    const inline = document.createElement("script");
    inline.textContent = "globalThis.intruder = true";
    document.head.append(inline);
    if ("intruder" in globalThis) done.push("an inline script");
    await fetch(otherHost, { mode: "no-cors" }).then(
      () => done.push("fetching from another host"),
      () => undefined,
    );
    await loadScript(`${otherHost}probe.js`).then(
      () => done.push("a script of another host"),
      () => undefined,
    );
    return done;
  },
};

function loadScript(src: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => reject(new Error(`${src} was not loaded`)));
    script.src = src;
    document.head.append(script);
  });
}

Object.assign(globalThis, { probe });
